/// What one value of an API object may look like.
indirect enum Shape: Sendable {
    case string
    case bool
    /// A whole number of 32 or 64 bits.
    case integer(bits: Int)
    /// An amount such as `500m`; a number is taken too.
    case quantity
    /// A port number or a port's name (rule E9).
    case integerOrString
    /// Whatever stands there; it is never sent to the server.
    case anything
    case list(of: Shape)
    /// A map with free keys.
    case map(of: Shape)
    case object(ObjectShape)

    static func object(_ fields: Field...) -> Shape { .object(ObjectShape(fields)) }
}

/// The fields of one kind of structure.
struct ObjectShape: Sendable {
    let fields: [String: Field]
    /// Sorted, for suggestions.
    let names: [String]

    init(_ fields: [Field]) {
        self.fields = Dictionary(fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        names = fields.map(\.name).sorted()
    }
}

/// One field of a structure, as the API server declares it.
struct Field: Sendable {
    /// What becomes of a value that holds nothing: `""`, `[]` or `{}`.
    enum Emptiness: Sendable { case dropped, kept }
    /// Who writes the field.
    enum Owner: Sendable { case author, server }

    let name: String
    let shape: Shape
    let emptiness: Emptiness
    let owner: Owner

    /// - Parameter emptiness: `.kept` for what the server stores although it is empty: structures that mean something
    ///   by being there, such as a peer's `podSelector: {}` (rule E5).
    init(_ name: String, _ shape: Shape, emptiness: Emptiness = .dropped, owner: Owner = .author) {
        self.name = name
        self.shape = shape
        self.emptiness = emptiness
        self.owner = owner
    }
}
