//! What OTLP in both encodings becomes.
