//! The command line as a person meets it: real packages in temporary folders, the real program.

mod support;

mod adopt;
mod adopt_edges;
mod adopt_patch;
mod adopt_real;
mod builds;
mod cli;
mod code_first;
mod explain;
mod openapi;
mod programs;
