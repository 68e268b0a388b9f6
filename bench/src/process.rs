//! What the system says of a process: its time on the processor and its memory
//! (`proc_pid_stat(5)`, `proc_pid_status(5)`).

use std::fs;

use anyhow::Context;

/// Time on the processor, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage(f64);

impl Usage {
    /// That of a process and all its threads; without an identifier, our own.
    pub(crate) fn of(process: Option<u32>) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", name(process)))?;
        parse_stat(&stat).map(Self).context("/proc/PID/stat reads differently here")
    }

    pub(crate) fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// Memory that is resident, in MB of a million bytes.
pub(crate) fn resident(process: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    parse_resident(&status).context("/proc/PID/status has no VmRSS")
}

fn name(process: Option<u32>) -> String {
    process.map_or_else(|| "self".to_owned(), |id| id.to_string())
}

/// `utime` and `stime`, the 14th and 15th fields, in hundredths. The name before them may hold spaces.
fn parse_stat(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

fn parse_resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_behind_a_name_with_spaces() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 3 0 88 1 2";
        assert!((parse_stat(stat).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(parse_stat("7"), None);
    }

    #[test]
    fn memory_is_told_in_millions_of_bytes() {
        let status = "Name:\tsignet\nVmRSS:\t   12500 kB\nThreads:\t4\n";
        assert!((parse_resident(status).unwrap() - 12.8).abs() < 1e-9);
        assert_eq!(parse_resident("Name:\tsignet\n"), None);
    }
}
