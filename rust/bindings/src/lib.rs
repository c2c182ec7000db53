//! `ws13._native`: the border between CPython and the engine. It decides nothing about the protocol;
//! every method converts, calls the engine, and converts back.
//!
//! ```text
//! buffers headers outgoing     Python -> Rust     events alloc errors names     Rust -> Python
//! entropy             masking keys and nonces     guarded inject     what a panic does, and panics on purpose
//! connection sending inner handshake ws_connection extensions     the classes     frames     single frames
//! taken whole             events of the engine -> Python     config deflate     limits, permessage-deflate
//! ```

mod alloc;
mod buffers;
mod config;
mod connection;
mod deflate;
mod engine;
mod entropy;
mod errors;
mod events;
mod extensions;
mod frames;
mod guarded;
mod handshake;
mod headers;
mod inject;
mod inner;
mod input;
mod names;
mod outgoing;
mod sending;
mod taken;
mod whole;
mod ws_connection;

/// The native part of ws13.
#[pyo3::pymodule(gil_used = true)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::config::Config;
    #[pymodule_export]
    use crate::connection::Connection;
    #[pymodule_export]
    use crate::deflate::{Inflater, accept_deflate, finalize_deflate, offer_deflate};
    #[pymodule_export]
    use crate::entropy::forget_entropy;
    #[pymodule_export]
    use crate::errors::raise_panics_as;
    #[pymodule_export]
    use crate::frames::{mask, parse_header};
    #[pymodule_export]
    use crate::handshake::H11Handshake;
    #[pymodule_export]
    use crate::ws_connection::WSConnection;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::names::claim_interpreter(module.py())?;
        crate::buffers::view_methods(module.py());
        // Made once and never asked for by name, but by `isinstance` and by curious people.
        module.add("Events", crate::alloc::Iterator::class(module.py())?)?;
        crate::connection::methods::install(module.py())?;
        crate::ws_connection::methods::install(module.py())?;
        #[cfg(feature = "inject-panic")]
        module.add_function(pyo3::wrap_pyfunction!(crate::inject::panic_behind, module)?)?;
        crate::events::add_to(module)
    }

    /// The version of the package.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
