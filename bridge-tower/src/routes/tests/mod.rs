//! Tests of reading what routers print, of the join and of the reports.

mod audit;
mod map;
mod matcher;
mod shape;
mod table;
