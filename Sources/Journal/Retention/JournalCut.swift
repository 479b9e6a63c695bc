import JSON
import Manifest
import SQLite
import Signatures
import TransparencyLog

/// What retention has removed, as the entry says that was written and signed before it was done.
struct JournalCut: Sendable, Equatable {
    /// Entries up to this one were removed, but for those that are kept; a whole number of blocks.
    var through: Int64
    /// When the entry `through` was written: from then on the journal knows the state.
    var time: Timestamp
    /// Those of them that stay, because something that is in force depends on them; ascending.
    var kept: [Int64]
    /// Signed over the rest by the journal's key before anything was removed.
    ///
    /// A checkpoint over the entry is not enough: whoever can write the file may have written the entry too.
    var note = ""
    /// The entry that says all this.
    var entry: Int64 = 0

    /// What an entry must hold to say so.
    var content: Tree {
        [
            "through": .integer(through), "time": .string(time.description),
            "kept": .array(kept.map { .integer($0) }), "note": .string(note),
        ]
    }

    /// Reads what the entry of a number holds; nil where it is no whole record of a cut.
    init?(content: Tree, entry: Int64) {
        guard let through = content["through"]?.integer, let list = content["kept"]?.array,
            let time = content["time"]?.string.flatMap({ Timestamp($0) }), let note = content["note"]?.string
        else { return nil }
        let kept = list.compactMap(\.integer)
        guard through > 0, through % JournalFrontier.blockSize == 0, through < entry, kept.count == list.count,
            zip(kept, kept.dropFirst()).allSatisfy({ $0 < $1 }), kept.first ?? 1 >= 1, kept.last ?? 1 <= through
        else { return nil }
        self.init(through: through, time: time, kept: kept, entry: entry)
        self.note = note
    }

    init(through: Int64, time: Timestamp, kept: [Int64], entry: Int64 = 0) {
        self.through = through
        self.time = time
        self.kept = kept
        self.entry = entry
    }

    /// Reads what an entry of an export holds.
    init?(_ encoding: EntryEncoding, entry: Int64) {
        do {
            let tree = try parseJSON(encoding.text(sequence: entry))
            guard tree["reason"]?.string == "JournalCut", let content = tree["after"] else { return nil }
            self.init(content: content, entry: entry)
        } catch {
            return nil
        }
    }

    // MARK: The signature

    /// What is signed: whose entries go, up to which, and which of them stay.
    private func statement(of origin: String) throws(JournalFailure) -> String {
        do throws(HashingFailure) {
            let list = kept.map(String.init).joined(separator: ",")
            let digest = try SHA256Hasher().leaf(Array("\(time)\n\(list)".utf8))
            return "\(origin)/cut\n\(through)\n\(digest.base64Text)\n"
        } catch {
            throw .hashing
        }
    }

    /// Signs it.
    mutating func sign(of origin: String, with signer: NoteSigner) throws(JournalFailure) {
        let text = try statement(of: origin)
        do throws(KeyFailure) { note = try SignedNote(text: text, signer: signer).description } catch {
            throw .checkpoint(error.message)
        }
    }

    /// Whether one of the keys has signed it for this journal.
    func isSigned(of origin: String, by keys: [VerifierKey]) throws(JournalFailure) -> Bool {
        let text = try statement(of: origin)
        do throws(NoteFailure) {
            let signed = try SignedNote(note)
            guard signed.text == text else { return false }
            return try !signed.verify(with: keys).isEmpty
        } catch {
            return false
        }
    }

    // MARK: Reading

    /// Up to which entry something was removed; 0 where nothing ever was.
    static func through(on connection: Connection) throws(JournalFailure) -> Int64 {
        let through = try row(on: connection).through
        guard (0...JournalVerifier.maximumSequence).contains(through), through % JournalFrontier.blockSize == 0 else {
            throw .unreadable("the table of cuts says that entries up to \(through) were removed, which cannot be")
        }
        return through
    }

    /// What was removed; nil where nothing ever was.
    ///
    /// - Throws: ``JournalFailure/unreadable(_:)`` where the table and the entry that it names do not say the same.
    static func read(on connection: Connection) throws(JournalFailure) -> JournalCut? {
        let row = try row(on: connection)
        guard row.through != 0 else { return nil }
        let content = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow(
                "SELECT after FROM entries WHERE sequence = ? AND reason = 'JournalCut'", [.integer(row.entry)]
            ) { (row) throws(DatabaseError) in try row.optionalText(0) }.flatMap { $0 }
        }
        guard let content,
            let cut = JournalCut(content: try tree(fromCanonical: content, in: "entry \(row.entry)"), entry: row.entry),
            cut.through == row.through, Int64(cut.kept.count) == row.kept
        else {
            throw .unreadable(
                "the table of cuts says that entries up to \(row.through) were removed, and entry \(row.entry) does not"
            )
        }
        return cut
    }

    private static func row(
        on connection: Connection
    ) throws(JournalFailure) -> (through: Int64, entry: Int64, kept: Int64) {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT through, entry, kept FROM cut ORDER BY through DESC LIMIT 1") {
                (row) throws(DatabaseError) in
                (through: try row.integer(0), entry: try row.integer(1), kept: try row.integer(2))
            } ?? (0, 0, 0)
        }
    }

    /// How many entries there are.
    static func entryCount(on connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.firstRow(
            "SELECT (SELECT ifnull(max(sequence), 0) FROM entries) - ifnull(max(through), 0) + ifnull(max(kept), 0) FROM cut"
        ) { (row) throws(DatabaseError) in try row.integer(0) } ?? 0
    }
}
