//! Which core does what: the first serves, the second loads, so that neither takes the other's time.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of this run.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    all: Vec<usize>,
}

impl Cores {
    /// The cores that this process may use.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        Ok(Self { all })
    }

    pub(crate) fn number(&self) -> usize {
        self.all.len()
    }

    /// Do something where the server runs, such as starting it: children inherit the core.
    pub(crate) fn as_server<T>(&self, work: impl FnOnce() -> T) -> anyhow::Result<T> {
        on(&self.all[..1], work)
    }

    /// The same with two cores for the server, if the load then still has one of its own.
    pub(crate) fn as_server_on_two<T>(
        &self,
        work: impl FnOnce() -> T,
    ) -> anyhow::Result<Option<T>> {
        if self.number() < 3 { Ok(None) } else { on(&self.all[..2], work).map(Some) }
    }

    /// Stay on the core that loads, from now on.
    pub(crate) fn load(&self) -> anyhow::Result<()> {
        let last = self.all.len() - 1;
        Ok(sched_setaffinity(None, &set(&self.all[last..]))?)
    }
}

fn on<T>(cores: &[usize], work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let before = sched_getaffinity(None)?;
    sched_setaffinity(None, &set(cores))?;
    let done = work();
    sched_setaffinity(None, &before)?;
    Ok(done)
}

fn set(cores: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    set
}
