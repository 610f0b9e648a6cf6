internal import RequestSigning

/// The parameters of a request as Amazon's query protocol flattens them: `Filter.1.Value.2=x`.
///
/// Names are case-sensitive. What nobody asks for is ignored, as Amazon does. A structure in a list is seen as the parameters
/// below its name.
struct RequestParameters: Sendable, Equatable {
    /// Parameters of one request; more are refused.
    static let countMax = 10_000
    private static let depthMax = 12

    private struct Node: Sendable, Equatable {
        var value: String?
        var children: [String: Node] = [:]
    }
    private var root = Node()

    init() {}

    private init(_ root: Node) { self.root = root }

    /// Reads `a=1&b.1=2` from a query, a body, or both. The first of two equal names counts.
    ///
    /// - Throws: ``EC2Failure`` for text that is not UTF-8 or has characters that no XML answer could show again, for names that are
    ///   not ASCII, and for more parameters than a request may have.
    init(_ sources: [String]) throws(EC2Failure) {
        var count = 0
        for source in sources {
            for pair in URIEncoding.pairs(of: source, limit: Self.countMax) {
                count += 1
                guard count <= Self.countMax else {
                    throw .invalidParameter("The request has more than \(Self.countMax) parameters.")
                }
                let name = try Self.name(pair.name)
                try insert(name, try Self.text(pair.value, of: name))
            }
        }
    }

    /// A name is letters, digits, dots and the like. Others could be written in several ways that look alike, one of which is signed.
    private static func name(_ encoded: Substring) throws(EC2Failure) -> String {
        let name = try text(encoded, of: nil)
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw EC2Failure(
                "MalformedQueryString",
                "The query string contains a syntax error: the parameter name \(name.prefix(64)) is not ASCII.")
        }
        return name
    }

    private static func text(_ encoded: Substring, of name: String?) throws(EC2Failure) -> String {
        let bytes = URIEncoding.decodeQuery(encoded)
        guard let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.allSatisfy(XMLWriter.allows)
        else {
            throw .invalidParameter(
                "Value for parameter \(name ?? "name") is invalid. It is not UTF-8, or has characters that XML does not allow."
            )
        }
        return text
    }

    private mutating func insert(_ name: String, _ value: String) throws(EC2Failure) {
        let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.count <= Self.depthMax else {
            throw .invalidParameter("The parameter \(name.prefix(64)) has more than \(Self.depthMax) parts.")
        }
        Self.insert(path[...], value, into: &root)
    }

    private static func insert(_ path: ArraySlice<String>, _ value: String, into node: inout Node) {
        guard let first = path.first else {
            if node.value == nil { node.value = value }
            return
        }
        insert(path.dropFirst(), value, into: &node.children[first, default: Node()])
    }

    /// The value under `name` (`A` or `A.B`), or nil if the request has none.
    subscript(_ name: String) -> String? { node(name)?.value }

    /// Does the request have anything at or below `name`?
    func has(_ name: String) -> Bool { node(name) != nil }

    /// `Name.1`, `Name.2`, ... in the order of their numbers.
    func list(_ name: String) -> [String] { items(name).compactMap(\.value) }

    /// `Name.1.*`, `Name.2.*`, ... each as parameters of its own, in the order of their numbers.
    func structures(_ name: String) -> [RequestParameters] { items(name).map { RequestParameters($0) } }

    /// What is below `name`, as parameters of its own.
    func structure(_ name: String) -> RequestParameters { RequestParameters(node(name) ?? Node()) }

    private func items(_ name: String) -> [Node] {
        let children = node(name)?.children ?? [:]
        let numbered = children.compactMap { key, node in Int(key).map { (number: $0, node: node) } }
        return numbered.sorted { $0.number < $1.number }.map(\.node)
    }

    private func node(_ name: String) -> Node? {
        var node = root
        for part in name.split(separator: ".") {
            guard let next = node.children[String(part)] else { return nil }
            node = next
        }
        return node
    }
}

extension RequestParameters {
    /// What a client sends so that its request is done once; nil without.
    func clientToken() throws(EC2Failure) -> String? { try Self.clientToken(self["ClientToken"]) }

    /// The same, of a parameter that was read already.
    static func clientToken(_ text: String?) throws(EC2Failure) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.unicodeScalars.count <= 64 else {
            throw .invalidValue("Client token must be less than or equal to 64 characters.")
        }
        return text
    }

    /// Everything but some parameters and those of signatures, which differ each time, in a form in which equal requests are
    /// equal.
    func fingerprint(without names: Set<String>) -> String {
        Self.lines(root, "").filter { line in
            !names.contains(line.name) && !SigV2Claim.names.contains(line.name) && !line.name.hasPrefix("X-Amz-")
        }.map { "\($0.name.utf8.count):\($0.name)\($0.value.utf8.count):\($0.value)" }.joined()
    }

    private static func lines(_ node: Node, _ path: String) -> [(name: String, value: String)] {
        let own = node.value.map { [(name: path, value: $0)] } ?? []
        return own
            + node.children.sorted { $0.key < $1.key }.flatMap { key, child in
                lines(child, path.isEmpty ? key : "\(path).\(key)")
            }
    }

    /// `true` or `false`, in any case; nil if it is not there.
    func flag(_ name: String) throws(EC2Failure) -> Bool? {
        guard let text = self[name] else { return nil }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw .invalidValue(
                "Value (\(text)) for parameter \(name.loweredFirst) is invalid. Value must be true or false.")
        }
    }

    /// A whole number; nil if it is not there.
    func number(_ name: String) throws(EC2Failure) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text) else {
            throw .invalidValue(
                "Value (\(text)) for parameter \(name.loweredFirst) is invalid. Value must be an integer.")
        }
        return number
    }
}

extension String {
    /// As Amazon's messages name parameters: `volumeId` for `VolumeId`.
    var loweredFirst: String { prefix(1).lowercased() + dropFirst() }
}
