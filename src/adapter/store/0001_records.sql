-- What people look back on. Portable: `BYTEA` is any bytes in SQLite as well.
-- Times are milliseconds since 1970 in UTC.

CREATE TABLE promotion (
    group_name TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    release_id TEXT   NOT NULL,
    color      TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    started_ms BIGINT NOT NULL,
    phase      TEXT   NOT NULL,
    -- JSON; null until it is known to have ended.
    outcome    TEXT,
    PRIMARY KEY (group_name, id)
);

CREATE INDEX promotion_by_start ON promotion (started_ms);

CREATE TABLE plan (
    group_name TEXT  NOT NULL,
    promotion  TEXT  NOT NULL,
    -- JSON, compressed with gzip; without secrets.
    body       BYTEA NOT NULL,
    PRIMARY KEY (group_name, promotion)
);

CREATE TABLE event (
    group_name TEXT   NOT NULL,
    -- Empty: about the group, not about one promotion.
    promotion  TEXT   NOT NULL,
    position   BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL,
    -- What tells a fact that holds once from others; null: it may happen again.
    once       TEXT,
    -- JSON.
    body       TEXT   NOT NULL,
    PRIMARY KEY (group_name, promotion, position),
    UNIQUE (group_name, promotion, once)
);

CREATE TABLE check_result (
    group_name  TEXT   NOT NULL,
    promotion   TEXT   NOT NULL,
    check_name  TEXT   NOT NULL,
    attempt     BIGINT NOT NULL,
    verdict     TEXT   NOT NULL,
    duration_ms BIGINT,
    -- JSON, without the test cases.
    body        TEXT   NOT NULL,
    PRIMARY KEY (group_name, promotion, check_name)
);

CREATE TABLE test_case (
    group_name  TEXT   NOT NULL,
    promotion   TEXT   NOT NULL,
    check_name  TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    duration_ms BIGINT,
    diagnostic  TEXT,
    PRIMARY KEY (group_name, promotion, check_name, position)
);

CREATE TABLE check_log (
    group_name TEXT   NOT NULL,
    promotion  TEXT   NOT NULL,
    check_name TEXT   NOT NULL,
    attempt    BIGINT NOT NULL,
    -- Compressed with gzip.
    body       BYTEA  NOT NULL,
    PRIMARY KEY (group_name, promotion, check_name, attempt)
);
