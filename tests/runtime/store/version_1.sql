-- A store of version 1: without held-out samples and images.
PRAGMA application_id = 1400009842;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE class (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL
    );
INSERT INTO "class" VALUES(1,'hat',2535177294);
INSERT INTO "class" VALUES(2,'shoes',2010192057);
CREATE TABLE features (
        sample INTEGER PRIMARY KEY, encoding TEXT NOT NULL, data BLOB NOT NULL,
        checksum INTEGER NOT NULL
    );
INSERT INTO "features" VALUES(1,'e',X'00000038003C003E00000038003C003E',110692698);
INSERT INTO "features" VALUES(3,'e',X'0000003E004280440000003E00428044',2808633690);
CREATE TABLE sample (
        id INTEGER PRIMARY KEY AUTOINCREMENT, added REAL NOT NULL, source BLOB,
        feature_rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL
    );
INSERT INTO "sample" VALUES(1,1700000001.5,X'0101010101010101',2,16,216212776);
INSERT INTO "sample" VALUES(3,1700000003.5,X'0303030303030303',2,16,3593348175);
CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "store" VALUES('base','the base');
CREATE TABLE target (
        sample INTEGER NOT NULL, class INTEGER NOT NULL, value REAL NOT NULL,
        PRIMARY KEY (sample, class)
    ) WITHOUT ROWID;
INSERT INTO "target" VALUES(1,1,1.0);
INSERT INTO "target" VALUES(3,2,1.0);
CREATE INDEX sample_source ON sample (source) WHERE source IS NOT NULL;
CREATE INDEX target_class ON target (class, value);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('class',2);
INSERT INTO "sqlite_sequence" VALUES('sample',3);
COMMIT;
