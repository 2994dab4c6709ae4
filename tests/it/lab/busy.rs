//! A host that has no time: load on every processor.

use std::process::{Child, Command, Stdio};

/// Something to do for every processor, twice, until it is dropped.
pub(crate) struct Busy(Vec<Child>);

impl Busy {
    pub(crate) fn all_over() -> Self {
        let processors = std::thread::available_parallelism().expect("a number of processors").get();
        Self((0..2 * processors).map(|_| spin()).collect())
    }
}

/// A process that takes all the time there is until it is killed; whoever reads what the tests print does not wait for it.
pub(super) fn spin() -> Child {
    let mut sh = Command::new("sh");
    sh.args(["-c", "while :; do :; done"]).stdout(Stdio::null()).stderr(Stdio::null());
    sh.spawn().expect("run sh")
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
