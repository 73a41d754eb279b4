-- What people look back on. Portable: `BYTEA` is any bytes in SQLite as well.
-- Times are milliseconds since 1970 in UTC. A place is a cluster as people know it
-- and a namespace in it, as `testbed/v2`.

CREATE TABLE promotion (
    place      TEXT   NOT NULL,
    group_name TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    release_id TEXT   NOT NULL,
    color      TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    started_ms BIGINT NOT NULL,
    phase      TEXT   NOT NULL,
    -- JSON; null until it is known to have ended.
    outcome    TEXT,
    PRIMARY KEY (place, group_name, id)
);

-- The last ones: of all, of a group, of a place.
CREATE INDEX promotion_by_start ON promotion (started_ms, id);
CREATE INDEX promotion_of_group ON promotion (group_name, started_ms, id);
CREATE INDEX promotion_of_place ON promotion (place, started_ms, id);
CREATE INDEX promotion_by_id ON promotion (id);
CREATE INDEX promotion_passed ON promotion (place, group_name, id) WHERE phase = 'Promoted';

CREATE TABLE plan (
    place      TEXT  NOT NULL,
    group_name TEXT  NOT NULL,
    promotion  TEXT  NOT NULL,
    -- JSON, compressed with gzip; without secrets.
    body       BYTEA NOT NULL,
    PRIMARY KEY (place, group_name, promotion)
);

CREATE TABLE event (
    place      TEXT   NOT NULL,
    group_name TEXT   NOT NULL,
    -- Empty: about the group, not about one promotion.
    promotion  TEXT   NOT NULL,
    position   BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL,
    -- What tells a fact that holds once from others; null: it may happen again.
    once       TEXT,
    -- JSON.
    body       TEXT   NOT NULL,
    PRIMARY KEY (place, group_name, promotion, position),
    UNIQUE (place, group_name, promotion, once)
);

-- Those of groups go by themselves, once they are old.
CREATE INDEX event_of_group ON event (at_ms) WHERE promotion = '';

-- Promotions that were asked for and not begun.
CREATE TABLE refusal (
    place      TEXT   NOT NULL,
    group_name TEXT   NOT NULL,
    -- A hash of who asked and why not: the same refusal is counted.
    same       TEXT   NOT NULL,
    -- JSON.
    actor      TEXT   NOT NULL,
    -- That of the last time.
    release_id TEXT   NOT NULL,
    -- JSON.
    restraints TEXT   NOT NULL,
    first_ms   BIGINT NOT NULL,
    last_ms    BIGINT NOT NULL,
    times      BIGINT NOT NULL,
    PRIMARY KEY (place, group_name, same)
);

CREATE INDEX refusal_by_last ON refusal (last_ms);
CREATE INDEX refusal_of_group ON refusal (group_name, last_ms);
CREATE INDEX refusal_of_place ON refusal (place, last_ms);

CREATE TABLE check_result (
    place       TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    promotion   TEXT   NOT NULL,
    check_name  TEXT   NOT NULL,
    attempt     BIGINT NOT NULL,
    verdict     TEXT   NOT NULL,
    duration_ms BIGINT,
    -- JSON, without the test cases.
    body        TEXT   NOT NULL,
    PRIMARY KEY (place, group_name, promotion, check_name)
);

CREATE TABLE test_case (
    place       TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    promotion   TEXT   NOT NULL,
    check_name  TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    duration_ms BIGINT,
    diagnostic  TEXT,
    PRIMARY KEY (place, group_name, promotion, check_name, position)
);

CREATE TABLE check_log (
    place      TEXT   NOT NULL,
    group_name TEXT   NOT NULL,
    promotion  TEXT   NOT NULL,
    check_name TEXT   NOT NULL,
    attempt    BIGINT NOT NULL,
    -- When it was whole: logs go before the rest does.
    at_ms      BIGINT NOT NULL,
    -- Compressed with gzip.
    body       BYTEA  NOT NULL,
    PRIMARY KEY (place, group_name, promotion, check_name, attempt)
);

CREATE INDEX check_log_by_time ON check_log (at_ms);
