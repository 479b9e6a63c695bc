-- A journal of schema 1: what sqlite3 .dump gives of one that the program of that time wrote.
PRAGMA application_id = 1115253879;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    cluster TEXT NOT NULL,
    UNIQUE (instance, cluster)
) STRICT;
INSERT INTO instances VALUES(1,'default','production');
CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    instance TEXT NOT NULL,
    cluster TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_incident INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    action TEXT,
    api_group TEXT,
    api_version TEXT,
    object_kind TEXT,
    namespace TEXT,
    name TEXT,
    uid TEXT,
    resource_version TEXT,
    revision TEXT,
    author TEXT,
    committer TEXT,
    pull_request INTEGER,
    approver TEXT,
    actor TEXT,
    actor_operation TEXT,
    actor_time TEXT,
    actor_certainty TEXT,
    runbook TEXT,
    runbook_revision TEXT,
    duration_microseconds INTEGER,
    audit_id TEXT,
    subject TEXT,
    trailers TEXT,
    message TEXT NOT NULL,
    patch TEXT,
    before TEXT,
    after TEXT
) STRICT;
INSERT INTO entries VALUES(1,'2026-03-01T12:00:01.000000Z','default','production','event','Started',0,'succeeded',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'bylaw started',NULL,NULL,NULL);
INSERT INTO entries VALUES(2,'2026-03-01T12:00:01.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-1','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 1','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(3,'2026-03-01T12:00:02.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-2','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 2','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(4,'2026-03-01T12:00:03.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-3','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 3','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(5,'2026-03-01T12:00:04.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-4','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 4','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(6,'2026-03-01T12:00:05.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-5','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 5','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(7,'2026-03-01T12:00:06.000000Z','default','production','action','DriftCorrected',1,'succeeded','update','rbac.authorization.k8s.io','v1','Role','team-a','r-6','u-1','42','0123456789abcdef0123456789abcdef01234567','Ana Lima <ana@example.org>','Merge Bot <bot@example.org>',12,NULL,'kubectl-edit','Update','2026-03-01T11:59:58Z','claimed','Runbooks/DriftCorrected.md','0.1.0+test',4250,'a-1','Let team A read pods (#12)','[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]','correction 6','{"rules":null}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}','{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}');
INSERT INTO entries VALUES(8,'2026-03-01T12:00:07.000000Z','default','production','notice','DriftFight',1,'failed',NULL,'rbac.authorization.k8s.io','v1','Role','team-a','r-2',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Runbooks/DriftFight.md','0.1.0+test',NULL,NULL,NULL,NULL,'somebody fights',NULL,NULL,NULL);
CREATE TABLE intents (
    id INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL REFERENCES instances (id),
    time TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
INSERT INTO intents VALUES(7,1,'2026-03-01T12:00:08.000000Z','{"action":"update","actor":{"certainty":"claimed","name":"kubectl-edit","operation":"Update","time":"2026-03-01T11:59:58Z"},"at":"2026-03-01T12:00:08.000000Z","before":[{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}],"desired":[{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader","namespace":"team-a","resourceVersion":"41","uid":"u-1"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}],"message":"cut short","object":{"group":"rbac.authorization.k8s.io","kind":"Role","name":"r-1","namespace":"team-a"},"patch":[{"rules":null}],"reason":"DriftCorrected","resourceVersion":"41","revision":{"author":"Ana Lima <ana@example.org>","commit":"0123456789abcdef0123456789abcdef01234567","committer":"Merge Bot <bot@example.org>","pullRequest":12,"subject":"Let team A read pods (#12)","trailers":[["Reviewed-by","Bo <bo@example.org>"],["Ticket","SEC-7"]]},"uid":"u-1"}');
CREATE TABLE owned (
    instance_id INTEGER NOT NULL REFERENCES instances (id),
    api_group TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    declaration_digest TEXT NOT NULL,
    revision TEXT NOT NULL,
    PRIMARY KEY (instance_id, api_group, object_kind, namespace, name)
) STRICT, WITHOUT ROWID;
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-1','u-1','d-1','0123456789abcdef0123456789abcdef01234567');
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-2','u-2','d-2','0123456789abcdef0123456789abcdef01234567');
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-3','u-3','d-3','0123456789abcdef0123456789abcdef01234567');
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-4','u-4','d-4','0123456789abcdef0123456789abcdef01234567');
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-5','u-5','d-5','0123456789abcdef0123456789abcdef01234567');
INSERT INTO owned VALUES(1,'rbac.authorization.k8s.io','Role','team-a','r-6','u-6','d-6','0123456789abcdef0123456789abcdef01234567');
CREATE TABLE open_incidents (
    id INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL REFERENCES instances (id),
    reason TEXT NOT NULL,
    api_group TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL REFERENCES entries (sequence),
    time TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
INSERT INTO open_incidents VALUES(1,1,'DriftFight','rbac.authorization.k8s.io','Role','team-a','r-2',8,'2026-03-01T12:00:07.000000Z','somebody fights');
CREATE TABLE memory (
    instance_id INTEGER NOT NULL REFERENCES instances (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (instance_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO memory VALUES(1,'enforcedRevision','0123456789abcdef0123456789abcdef01234567');
CREATE INDEX entries_time ON entries (time);
CREATE INDEX entries_object ON entries (name, namespace, object_kind);
CREATE INDEX entries_namespace ON entries (namespace);
CREATE INDEX entries_kind ON entries (object_kind);
CREATE INDEX entries_reason ON entries (reason);
CREATE INDEX entries_revision ON entries (revision);
CREATE INDEX entries_author ON entries (author);
CREATE INDEX entries_action ON entries (action) WHERE action <> 'update';
CREATE INDEX entries_incident ON entries (is_incident) WHERE is_incident = 1;
CREATE INDEX entries_unusual ON entries (outcome) WHERE outcome <> 'succeeded';
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries BEGIN
    SELECT RAISE(ABORT, 'entries of the journal are never changed');
END;
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries BEGIN
    SELECT RAISE(ABORT, 'entries of the journal are never deleted');
END;
CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries
    WHEN EXISTS (SELECT 1 FROM entries WHERE sequence = NEW.sequence)
BEGIN
    SELECT RAISE(ABORT, 'entries of the journal are never replaced');
END;
CREATE INDEX open_incidents_object
    ON open_incidents (instance_id, reason, name, namespace, object_kind, api_group);
COMMIT;
