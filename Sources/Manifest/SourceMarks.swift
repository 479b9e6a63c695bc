/// A place in a text; both counts start at 1, columns count characters.
package struct SourcePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    package var description: String { "\(line):\(column)" }
}

/// Where each value of a ``Tree`` stood in the text it was read from, in the shape of that tree.
package struct SourceMarks: Sendable {
    /// Where the value begins.
    package var position: SourcePosition
    /// The elements of an array in order, or the members of an object in the order of ``Members``.
    package var children: [SourceMarks]
    /// Where each key begins, for an object; empty for everything else.
    package var keyPositions: [SourcePosition]

    package init(position: SourcePosition, children: [SourceMarks] = [], keyPositions: [SourcePosition] = []) {
        self.position = position
        self.children = children
        self.keyPositions = keyPositions
    }

    /// The position of what `path` names in `tree`; of its nearest ancestor where the path leads nowhere.
    ///
    /// For a member of an object this is the position of its key, which is where an editor should open.
    package func position(of path: FieldPath, in tree: Tree) -> SourcePosition {
        var marks = self
        var current = tree
        var found = position
        for step in path.steps {
            switch (step, current) {
            case (.field(let name), .object(let members)), (.key(let name), .object(let members)):
                guard let index = members.firstIndex(where: { $0.key.hasSameBytes(as: name) }),
                    index < marks.children.count
                else { return found }
                found = index < marks.keyPositions.count ? marks.keyPositions[index] : marks.children[index].position
                marks = marks.children[index]
                current = members[index].value
            case (.index(let index), .array(let elements)):
                guard elements.indices.contains(index), index < marks.children.count else { return found }
                marks = marks.children[index]
                current = elements[index]
                found = marks.position
            default:
                return found
            }
        }
        return found
    }
}

/// One document of a file, with the places its values came from.
package struct ParsedDocument: Sendable {
    package var tree: Tree
    package var marks: SourceMarks

    package init(tree: Tree, marks: SourceMarks) {
        self.tree = tree
        self.marks = marks
    }
}

/// A place where a text is not what it should be, found while reading it.
package struct SourceProblem: Hashable, Sendable {
    package var position: SourcePosition
    /// What is wrong, one sentence without a full stop.
    package var message: String
    /// What to do next, one sentence.
    package var hint: String

    package init(position: SourcePosition, message: String, hint: String) {
        self.position = position
        self.message = message
        self.hint = hint
    }
}

/// What reading one text of several documents gave: the documents that are sound, and what is wrong with the others.
package struct ParsedStream: Sendable {
    package var documents: [ParsedDocument]
    package var problems: [SourceProblem]

    package init(documents: [ParsedDocument] = [], problems: [SourceProblem] = []) {
        self.documents = documents
        self.problems = problems
    }
}
