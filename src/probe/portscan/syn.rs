//! x
use super::fleet::Fleet;
use crate::failure::{Class, Failure};
use crate::sys::connect::Way;
use crate::sys::wait::Stop;
pub(super) fn scan(fleet: &mut Fleet, way: &Way, secret: u64, stop: &Stop) -> Result<(), Failure> {
    let _ = (fleet, way, secret, stop);
    Err(Class::Unsupported.because("later"))
}
