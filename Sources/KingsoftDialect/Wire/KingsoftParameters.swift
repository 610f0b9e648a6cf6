internal import RequestSigning

/// The parameters of a request, wherever they stood: in the query, in a form or in a JSON document.
///
/// `Name.3` and `Name[3]` are items of a list, in the order of their numbers, wherever those begin; `Name.3.Key` is a part of one.
/// A bare value is a list of one, and a list of one a bare value; of several where one is asked for, all together are the value, which
/// then is nobody's. What is empty is not there.
struct KingsoftParameters: Sendable, Equatable {
    /// Parameters of one request; more are refused.
    static let countMax = 5000
    private static let depthMax = 8

    private struct Node: Sendable, Equatable {
        var value: String?
        var children: [String: Node] = [:]
    }
    private var root = Node()

    private init(_ root: Node) { self.root = root }

    /// Of what has none.
    init() {}

    /// Reads both places; what the body says counts before what the query says of the same name.
    ///
    /// - Throws: ``KingsoftFailure`` for what cannot be read, and where the two disagree on what is asked.
    init(query: String, body: [UInt8]) throws(KingsoftFailure) {
        var sent = Node()
        if body.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) == UInt8(ascii: "{") {
            guard case .object(let fields) = JSONTree(body) else { throw .unreadable("The body is not a JSON object.") }
            var count = 0
            for (name, tree) in fields { try Self.insert([name], tree, into: &sent, &count) }
        } else {
            try Self.read(String(decoding: body, as: UTF8.self), into: &sent)
        }
        try Self.read(query, into: &root)
        for name in ["Action", "Version"] {
            guard let first = sent.children[name]?.value, let second = root.children[name]?.value else { continue }
            guard first == second else {
                throw .wrong(name, "The query says \(second.shortened), the body \(first.shortened).")
            }
        }
        root.children.merge(sent.children) { _, own in own }
    }

    private static func read(_ source: String, into node: inout Node) throws(KingsoftFailure) {
        let pairs = URIEncoding.pairs(of: source, limit: countMax)
        guard pairs.count <= countMax else { throw tooMany }
        for pair in pairs {
            let name = try text(pair.name), value = try text(pair.value)
            try insert(path(of: name), value, into: &node)
        }
    }

    private static var tooMany: KingsoftFailure {
        .unreadable("The request has more than \(countMax) parameters.")
    }

    private static func text(_ encoded: Substring) throws(KingsoftFailure) -> String {
        guard let text = String(validating: URIEncoding.decodeQuery(encoded), as: UTF8.self) else {
            throw .unreadable("The request is not UTF-8.")
        }
        return text
    }

    /// `Tag[0].Key` as `Tag.0.Key`.
    private static func path(of name: String) -> [String] {
        let plain = name.contains("[") ? name.split(separator: "[").joined(separator: ".").filter { $0 != "]" } : name
        return plain.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    private static func insert(
        _ path: [String], _ tree: JSONTree, into node: inout Node, _ count: inout Int
    ) throws(KingsoftFailure) {
        count += 1
        guard count <= countMax else { throw tooMany }
        switch tree {
        case .absent: return
        case .text(let value): try insert(path, value, into: &node)
        case .list(let items):
            for (index, item) in items.enumerated() { try insert(path + [String(index)], item, into: &node, &count) }
        case .object(let fields):
            for (name, field) in fields { try insert(path + [name], field, into: &node, &count) }
        }
    }

    private static func insert(_ path: [String], _ value: String, into node: inout Node) throws(KingsoftFailure) {
        guard !value.isEmpty else { return }
        guard path.count <= depthMax else {
            throw .unreadable("The parameter \(path.joined(separator: ".").shortened) has more than \(depthMax) parts.")
        }
        guard value.unicodeScalars.allSatisfy(\.isXML), path.allSatisfy({ $0.unicodeScalars.allSatisfy(\.isXML) })
        else {
            throw .unreadable("The request has characters that no answer could show.")
        }
        insert(path[...], value, into: &node)
    }

    private static func insert(_ path: ArraySlice<String>, _ value: String, into node: inout Node) {
        guard let first = path.first else {
            if node.value == nil { node.value = value }
            return
        }
        insert(path.dropFirst(), value, into: &node.children[first, default: Node()])
    }

    /// The value of that name; nil without one.
    subscript(_ name: String) -> String? {
        if let value = root.children[name]?.value { return value }
        let items = list(name)
        return items.isEmpty ? nil : items.joined(separator: ",")
    }

    /// The names of what there is, without what is below them.
    var names: [String] { root.children.keys.sorted() }

    /// The items of a list.
    func list(_ name: String) -> [String] { items(name).compactMap(\.value) }

    /// The items of a list of which each has parts.
    func structures(_ name: String) -> [KingsoftParameters] { items(name).map { KingsoftParameters($0) } }

    private func items(_ name: String) -> [Node] {
        guard let node = root.children[name] else { return [] }
        // What has no number comes last: nothing that was asked for is passed over.
        let numbered = node.children.map { key, node in (number: Int(key) ?? Int.max, key: key, node: node) }
            .sorted { ($0.number, $0.key) < ($1.number, $1.key) }.map(\.node)
        if !numbered.isEmpty { return numbered }
        return node.value == nil ? [] : [node]
    }

    /// Everything but some parameters and those that say who asks and how, in a form in which equal requests are equal.
    func fingerprint(without names: Set<String>) -> String {
        Self.lines(root, "").filter { line in
            let head = line.name.prefix { $0 != "." }
            return !names.contains(String(head)) && !KingsoftAction.free.contains(String(head))
                && !head.hasPrefix("X-Amz-")
        }.map { "\($0.name.utf8.count):\($0.name)\($0.value.utf8.count):\($0.value)" }.joined()
    }

    private static func lines(_ node: Node, _ path: String) -> [(name: String, value: String)] {
        let own = node.value.map { [(name: path, value: $0)] } ?? []
        return own
            + node.children.sorted { $0.key < $1.key }.flatMap { key, child in
                lines(child, path.isEmpty ? key : "\(path).\(key)")
            }
    }
}

extension KingsoftParameters {
    /// The value of that name, which must be there.
    func required(_ name: String) throws(KingsoftFailure) -> String {
        guard let value = self[name] else { throw .required(name) }
        return value
    }

    /// `true` or `false`, in any case; nil if it is not there.
    func flag(_ name: String) throws(KingsoftFailure) -> Bool? {
        guard let text = self[name] else { return nil }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default: throw .wrong(name, "It is \(text.shortened); true and false are allowed.")
        }
    }

    /// A whole number in a range; nil if it is not there.
    func number(_ name: String, in range: ClosedRange<Int>) throws(KingsoftFailure) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .wrong(name, "It is \(text.shortened); \(range.lowerBound) to \(range.upperBound) are allowed.")
        }
        return number
    }

    /// One of some words; nil if it is not there. Case counts, unless `ignoringCase`.
    func word(
        _ name: String, of words: [String], ignoringCase: Bool = false
    ) throws(KingsoftFailure) -> String? {
        guard let text = self[name] else { return nil }
        let found = words.first { $0 == text || ignoringCase && $0.lowercased() == text.lowercased() }
        guard let found else {
            throw .wrong(name, "It is \(text.shortened); \(words.joined(separator: ", ")) are allowed.")
        }
        return found
    }
}

extension Unicode.Scalar {
    /// May XML 1.0 have this character at all, escaped or not? (XML 1.0, production 2.)
    var isXML: Bool {
        switch value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}

extension String {
    /// What fits into a message.
    var shortened: String {
        unicodeScalars.count > 64 ? String(String.UnicodeScalarView(unicodeScalars.prefix(64))) + "..." : self
    }
}
