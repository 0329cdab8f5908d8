-- Times are milliseconds since the epoch, durations milliseconds, hashes hexadecimal digits.

-- The end of the record, in one row. Whoever changes anything locks it first, so that changes come one after the other.
CREATE TABLE chain (
    one      BIGINT PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL,
    hash     TEXT   NOT NULL
);
INSERT INTO chain VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE audit (
    position BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    event    TEXT   NOT NULL,
    actor    TEXT,
    subject  TEXT,
    resource TEXT,
    action   TEXT,
    request  TEXT,
    grant_id TEXT,
    entry    TEXT   NOT NULL,
    hash     TEXT   NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, position);
CREATE INDEX audit_by_resource ON audit (resource, position);
CREATE INDEX audit_by_time ON audit (at);
CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is only added to';
END
$$;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();

CREATE TABLE requests (
    id            TEXT   PRIMARY KEY,
    state         TEXT   NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'withdrawn', 'expired')),
    issuer        TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    email         TEXT,
    resource_type TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    duration      BIGINT,
    wanted_until  BIGINT,
    reason        TEXT   NOT NULL,
    emergency     BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    until         BIGINT NOT NULL,
    closed_at     BIGINT,
    closed_issuer TEXT,
    closed_by     TEXT,
    closed_why    TEXT,
    grant_id      TEXT,
    CHECK ((state = 'pending') = (closed_at IS NULL)),
    CHECK ((state = 'approved') = (grant_id IS NOT NULL)),
    CHECK ((duration IS NULL) <> (wanted_until IS NULL))
);
CREATE INDEX requests_by_person ON requests (subject, issuer, at);
-- One person waits once for one thing.
CREATE UNIQUE INDEX requests_pending ON requests (issuer, subject, resource_type, resource, action) WHERE state = 'pending';
CREATE INDEX requests_to_expire ON requests (until) WHERE state = 'pending';

CREATE TABLE approvals (
    request TEXT   NOT NULL REFERENCES requests (id),
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (request, issuer, subject)
);

CREATE TABLE grants (
    id            TEXT   PRIMARY KEY,
    request       TEXT   NOT NULL REFERENCES requests (id),
    state         TEXT   NOT NULL CHECK (state IN ('active', 'expired', 'revoked')),
    issuer        TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    valid_from    BIGINT NOT NULL,
    valid_until   BIGINT NOT NULL,
    emergency     BIGINT NOT NULL,
    ended_at      BIGINT,
    CHECK ((state = 'active') = (ended_at IS NULL))
);
CREATE INDEX grants_live ON grants (subject, resource, action, issuer, resource_type, valid_until) WHERE state = 'active';
CREATE INDEX grants_by_person ON grants (subject, issuer, valid_until);
CREATE INDEX grants_by_resource ON grants (resource, valid_until);
CREATE INDEX grants_by_end ON grants (valid_until);
CREATE INDEX grants_to_expire ON grants (valid_until) WHERE state = 'active';

-- What the proxies are told, in the order of the record. After `until`, what an entry takes back is over by itself.
CREATE TABLE revocations (
    position   BIGINT PRIMARY KEY,
    grant_id   TEXT,
    issuer     TEXT,
    subject    TEXT,
    resource   TEXT,
    not_before BIGINT NOT NULL,
    until      BIGINT NOT NULL
);
CREATE INDEX revocations_to_forget ON revocations (until);

-- The same wish sent twice under one key is one wish.
CREATE TABLE idempotency (
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    digest  TEXT   NOT NULL,
    request TEXT   NOT NULL REFERENCES requests (id),
    until   BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject, key)
);
CREATE INDEX idempotency_to_forget ON idempotency (until);

-- What is still to be told to whom.
CREATE TABLE outbox (
    hook     TEXT   NOT NULL,
    position BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    PRIMARY KEY (hook, position)
);
CREATE INDEX outbox_due ON outbox (due);
