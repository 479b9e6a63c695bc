import SQLite
import TestSupport
import Testing

@Suite struct ConnectionTests {
    private let folder: ScratchDirectory
    private let connection: Connection

    init() throws {
        folder = try ScratchDirectory()
        connection = try Connection(path: folder.path + "/test.db", mode: .readWrite)
        try connection.executeScript("CREATE TABLE kept (id INTEGER PRIMARY KEY, value ANY) STRICT;")
    }

    @Test func everyTypeOfValueComesBack() throws {
        let values: [SQLValue] = [
            .null, .integer(.min), .integer(.max), .real(0.1), .text(""), .text("zero\u{0}byte"), .text("🏳️‍🌈"),
            .blob([]), .blob([0, 255]),
        ]
        for value in values { try connection.execute("INSERT INTO kept (value) VALUES (?)", [value]) }
        let types = try connection.rows("SELECT typeof(value) FROM kept ORDER BY id") { (row) throws(DatabaseError) in
            try row.text(0)
        }
        #expect(types == ["null", "integer", "integer", "real", "text", "text", "text", "blob", "blob"])
        func read<Value>(_ id: Int64, _ value: (Row) throws(DatabaseError) -> Value) throws -> Value? {
            try connection.firstRow("SELECT value FROM kept WHERE id = ?", [.integer(id)], value)
        }
        #expect(try read(1) { (row) throws(DatabaseError) in try row.isNull(0) } == true)
        #expect(try read(2) { (row) throws(DatabaseError) in try row.integer(0) } == .min)
        #expect(try read(3) { (row) throws(DatabaseError) in try row.integer(0) } == .max)
        #expect(try read(4) { (row) throws(DatabaseError) in try row.real(0) } == 0.1)
        #expect(try read(5) { (row) throws(DatabaseError) in try row.text(0) } == "")
        #expect(try read(6) { (row) throws(DatabaseError) in try row.text(0) } == "zero\u{0}byte")
        #expect(try read(7) { (row) throws(DatabaseError) in try row.text(0) } == "🏳️‍🌈")
        #expect(try read(8) { (row) throws(DatabaseError) in try row.blob(0) } == [])
        #expect(try read(9) { (row) throws(DatabaseError) in try row.blob(0) } == [0, 255])
    }

    @Test func aColumnOfAnotherTypeIsAnErrorAndNoDefault() throws {
        try connection.execute("INSERT INTO kept (value) VALUES (NULL)")
        let error = #expect(throws: DatabaseError.self) {
            try connection.firstRow("SELECT value FROM kept") { (row) throws(DatabaseError) in try row.text(0) }
        }
        #expect(error?.code == .mismatch)
        #expect(error?.operation == "read the column value")
        #expect(error?.detail == "it holds NULL instead of a text")
        #expect(throws: DatabaseError.self) {
            try connection.firstRow("SELECT value FROM kept") { (row) throws(DatabaseError) in try row.isNull(1) }
        }
        // The statement is ready for the next use all the same.
        #expect(
            try connection.firstRow("SELECT value FROM kept") { (row) throws(DatabaseError) in try row.isNull(0) }
                == true)
    }

    @Test func anErrorNamesTheStatementAndNeverAValue() throws {
        try connection.execute("INSERT INTO kept (id, value) VALUES (1, ?)", ["hunter2"])
        let error = #expect(throws: DatabaseError.self) {
            try connection.execute("INSERT INTO kept (id, value) VALUES (1, ?)", ["hunter2"])
        }
        #expect(error?.code == .constraint)
        #expect(error?.extendedCode == 1555)
        #expect(error?.description.contains("UNIQUE constraint failed: kept.id (SQLite 1555)") == true)
        #expect(error?.description.contains("VALUES (1, ?)") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func theNumberOfValuesHasToMatch() {
        for values in [[], [1, 2]] as [[SQLValue]] {
            let error = #expect(throws: DatabaseError.self) {
                try connection.execute("INSERT INTO kept (value) VALUES (?)", values)
            }
            #expect(error?.detail == "\(values.count) values for 1 parameters")
        }
    }

    @Test func aQueryInsideTheSameQueryWorks() throws {
        for _ in 0..<3 { try connection.execute("INSERT INTO kept (value) VALUES (?)", ["x"]) }
        let sql = "SELECT id FROM kept ORDER BY id"
        let pairs = try connection.rows(sql) { (outer) throws(DatabaseError) in
            let id = try outer.integer(0)
            return try connection.rows(sql) { (inner) throws(DatabaseError) in "\(id)-\(try inner.integer(0))" }
        }
        #expect(pairs.flatMap { $0 } == ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3", "3-1", "3-2", "3-3"])
    }

    @Test func manyDifferentStatementsStayBounded() throws {
        for number in 0..<1_000 {
            let found = try connection.firstRow("SELECT \(number)") { (row) throws(DatabaseError) in try row.integer(0)
            }
            #expect(found == Int64(number))
        }
    }

    @Test func aScriptRunsEachOfItsStatements() throws {
        try connection.executeScript(
            """
            -- A comment; with a semicolon and “quotes”.
            INSERT INTO kept (value) VALUES ('a;b');
            CREATE TRIGGER doubled AFTER INSERT ON kept WHEN NEW.value = 'c' BEGIN
                INSERT INTO kept (value) VALUES ('d');
            END;
            INSERT INTO kept (value) VALUES ('c')
            """)
        let values = try connection.rows("SELECT value FROM kept ORDER BY id") { (row) throws(DatabaseError) in
            try row.text(0)
        }
        #expect(values == ["a;b", "c", "d"])
        #expect(throws: DatabaseError.self) { try connection.executeScript("SELECT 1; NONSENSE; SELECT 2") }
        try connection.executeScript("-- nothing but a comment")
        try connection.executeScript(" ; ; ")
    }

    @Test(arguments: [
        // A misspelt column in double quotes would silently become a text.
        "SELECT \"no_such_column\" FROM kept",
        "SELECT load_extension('nothing')",
        "ATTACH DATABASE ':memory:' AS other",
        "UPDATE sqlite_schema SET sql = 'nonsense'",
        "INSERT INTO kept (value) VALUES (1); INSERT",
    ])
    func whatAHostileOrMistakenTextCouldUseIsOff(_ sql: String) {
        #expect(throws: DatabaseError.self) {
            try connection.executeScript("PRAGMA writable_schema = 1")
            try connection.executeScript(sql)
        }
    }

    @Test func foreignKeysAreChecked() throws {
        try connection.executeScript("CREATE TABLE child (parent INTEGER NOT NULL REFERENCES kept (id)) STRICT")
        let error = #expect(throws: DatabaseError.self) { try connection.execute("INSERT INTO child VALUES (7)") }
        #expect(error?.code == .constraint)
    }

    @Test(arguments: ["file:x.db?mode=memory", ":memory:", "plain", "50%25 #1?.db"])
    func aPathIsAPathWhateverItLooksLike(_ name: String) throws {
        let path = folder.path + "/" + name
        do {
            let made = try Connection(path: path, mode: .readWrite)
            try made.executeScript("PRAGMA application_id = 7; CREATE TABLE t (x)")
        }
        #expect(try Connection(path: path, mode: .immutable).applicationID() == 7)
        #expect(try Connection(path: path, mode: .readOnly).applicationID() == 7)
    }

    @Test(arguments: ["", "a\u{0}b"])
    func aPathThatIsNoneIsRefused(_ path: String) {
        let error = #expect(throws: DatabaseError.self) { try Connection(path: path, mode: .readWrite) }
        #expect(error?.code == .cannotOpen)
    }

    @Test func readingOnlyCannotWriteNorCreate() throws {
        let reader = try Connection(path: folder.path + "/test.db", mode: .readOnly)
        let error = #expect(throws: DatabaseError.self) { try reader.execute("INSERT INTO kept (value) VALUES (1)") }
        #expect(error?.code == .readOnly)
        let missing = #expect(throws: DatabaseError.self) {
            try Connection(path: folder.path + "/missing.db", mode: .readOnly)
        }
        #expect(missing?.code == .cannotOpen)
        #expect(missing?.systemError == 2)
    }

    @Test func aFullFileIsToldFromOtherFailures() throws {
        try connection.executeScript("PRAGMA max_page_count = 20")
        let error = #expect(throws: DatabaseError.self) {
            for _ in 0..<100 {
                try connection.execute(
                    "INSERT INTO kept (value) VALUES (?)", [.blob([UInt8](repeating: 7, count: 4_000))])
            }
        }
        #expect(error?.code == .full)
    }
}
