//! Rendering for the engine: each sink's own pure `render`.

use std::sync::Arc;

use raccord_model::{ConnectorName, Context, Render, Rendered, Subject};

use crate::connectors::Tools;

/// The `render` of all configured sinks.
#[derive(Clone)]
pub(crate) struct Rendering(pub(crate) Arc<Tools>);

impl Render for Rendering {
    fn render(
        &self,
        connector: &ConnectorName,
        subject: Subject<'_>,
        context: &Context<'_>,
    ) -> Rendered {
        match self.0.get(connector).and_then(|tool| tool.sink()) {
            Some(sink) => sink.render(subject, context),
            None => Rendered::Nothing,
        }
    }
}
