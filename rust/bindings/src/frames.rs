//! Single frames as the engine sees them, for the classes of `ws13.frame_protocol`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;
use ws13::{Header, Mask, MaskingKey, Role, Rsv};

use crate::{buffers, extensions, inject, names};

/// FIN, the reserved bits, opcode, payload length, masking key; and the length of the header in bytes.
type Flat = (bool, (bool, bool, bool), u8, u64, Option<MaskingKey>, usize);

/// The header at the beginning of `data`, None if it is not complete. Reserved bits may be set.
///
/// Raises:
///     ParseFailed: the header breaks a rule of RFC 6455 §5.
#[pyfunction]
pub fn parse_header(data: &Bound<'_, PyAny>, client: bool) -> PyResult<Option<Flat>> {
    inject::point();
    let role = if client { Role::Client } else { Role::Server };
    match ws13::parse_header(&buffers::bytes(data)?, role, Rsv::ALL) {
        Ok(None) => Ok(None),
        Ok(Some((header, length))) => {
            let Header { fin, rsv, opcode, payload_length, masking_key } = header;
            let rsv = extensions::rsv_bits(rsv);
            Ok(Some((fin, rsv, opcode.bits(), payload_length, masking_key, length)))
        }
        Err(violation) => {
            let code = violation.close_code();
            Err(names::parse_failed(data.py(), violation, code))
        }
    }
}

/// `data` masked or unmasked with the four bytes of `key`, RFC 6455 §5.3.
#[pyfunction]
pub fn mask<'py>(data: &Bound<'py, PyAny>, key: &[u8]) -> PyResult<Bound<'py, PyByteArray>> {
    inject::point();
    let key = MaskingKey::try_from(key)
        .map_err(|_| PyValueError::new_err("a masking key has four bytes"))?;
    let source = buffers::bytes(data)?;
    PyByteArray::new_with(data.py(), source.len(), |target| {
        Mask::new(key).copy(&source, target);
        Ok(())
    })
}
