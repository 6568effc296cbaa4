#![doc = include_str!("../README.md")]

mod events;
mod face;
mod feed;
pub mod hands;
mod health;
mod hooks;
mod inbound;
mod json;
mod metrics;
mod place;
mod problem;
mod programme;
mod server;
mod token;

pub use face::{Face, Limits};
pub use feed::{Entry, Feed, Follow, Position};
pub use inbound::{EventFault, Form, Refusal, form_of, read};
pub use metrics::{Exposition, Kind};
pub use place::{
    BoxFuture, FollowError, HookError, Node, Place, PostError, Programme, Readiness, Reason,
    starting,
};
pub use token::Token;
