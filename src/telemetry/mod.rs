//! Logs, set up once: to standard error, since standard output is for results.

use std::{
    fmt,
    io::{self, IsTerminal},
};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

use crate::{config::LogConfig, edge::CurrentRequest};

/// Log from now on what the configuration asks for. A second call changes nothing.
pub fn start(config: &LogConfig) {
    // The configuration has checked the filter; it cannot be wrong here.
    let filter = EnvFilter::new(&config.filter);
    let format = Format::default().with_ansi(io::stderr().is_terminal());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .event_format(InRequest(format));
    let _ = logs.try_init();
}

/// A line of the log that ends with the request that it belongs to. A span would be written down for
/// every request; most of them have nothing to say.
struct InRequest(Format<Full>);

impl<S, N> FormatEvent<S, N> for InRequest
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(request) = CurrentRequest::get() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} {request}", line.trim_end_matches('\n'))
    }
}
