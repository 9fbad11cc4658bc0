-- Services that report over OTLP and have no key: the name behind an id that is made from it.
CREATE TABLE foreign_services (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    seen_at_us BIGINT NOT NULL
);
