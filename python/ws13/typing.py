"""Types of arguments."""

#: The fields of a head, as pairs of name and value (RFC 9110 §5).
Headers = list[tuple[bytes, bytes]]
