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

    /// Do something where the server runs, such as starting it: children inherit the core.
    pub(crate) fn as_server<T>(&self, work: impl FnOnce() -> T) -> anyhow::Result<T> {
        on(&self.all[..1], work)
    }

    /// The same with two cores for the server, if there are two. Where there are no more than that, the
    /// load shares the second one.
    pub(crate) fn as_server_on_two<T>(
        &self,
        work: impl FnOnce() -> T,
    ) -> anyhow::Result<Option<T>> {
        self.all.get(..2).map(|two| on(two, work)).transpose()
    }

    /// Whether the load has a core of its own beside two for the server.
    pub(crate) fn has_a_third(&self) -> bool {
        self.all.len() > 2
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
