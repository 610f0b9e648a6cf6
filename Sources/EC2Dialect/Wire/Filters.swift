/// `Filter.N.Name` and `Filter.N.Value.M`: values of one filter are alternatives, all filters must hold.
struct Filters: Sendable {
    private static let valuesMax = 200

    struct Filter: Sendable {
        let name: String
        let values: [Wildcard]
    }
    let all: [Filter]

    /// - Parameters:
    ///   - known: names that this action takes; `tag:` stands for `tag:` and any key.
    init(_ parameters: RequestParameters, known: Set<String>, list: String = "Filter") throws(EC2Failure) {
        var found: [Filter] = []
        var count = 0
        for item in parameters.structures(list) {
            guard let name = item["Name"], !name.isEmpty else { throw .missing("filter name") }
            // `tag:` alone stands for `tag:` and any key; it is no name of its own.
            let isKnown = name.hasPrefix("tag:") ? known.contains("tag:") && name != "tag:" : known.contains(name)
            guard isKnown else {
                throw .invalidValue("The filter '\(name)' is invalid")
            }
            let values = item.list("Value")
            count += values.count
            guard count <= Self.valuesMax else {
                throw EC2Failure(
                    "FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200.")
            }
            found.append(Filter(name: name, values: values.map { Wildcard($0) }))
        }
        all = found
    }

    /// Do all filters hold? `values`: what the object has under a filter's name, nil for names only tags have.
    func match(tags: [Tag], _ values: (String) -> [String]) -> Bool {
        all.allSatisfy { filter in
            Self.values(filter.name, tags, values).contains { value in filter.values.contains { $0.matches(value) } }
        }
    }

    private static func values(_ name: String, _ tags: [Tag], _ values: (String) -> [String]) -> [String] {
        switch name {
        case "tag-key": tags.map(\.key)
        case "tag-value": tags.map(\.value)
        case _ where name.hasPrefix("tag:"): tags.filter { $0.key == name.dropFirst(4) }.map(\.value)
        default: values(name)
        }
    }
}

/// A key and a value.
struct Tag: Equatable, Sendable {
    var key: String
    var value: String
}

/// `*` stands for any characters, `?` for one; a backslash takes a mark's meaning away.
struct Wildcard: Sendable {
    private enum Part: Equatable { case any, one, literal(Character) }
    private let parts: [Part]

    init(_ pattern: String) {
        var parts: [Part] = []
        var isEscaped = false
        for character in pattern {
            switch character {
            case _ where isEscaped:
                parts.append(.literal(character))
                isEscaped = false
            case "\\": isEscaped = true
            case "*": if parts.last != .any { parts.append(.any) }
            case "?": parts.append(.one)
            default: parts.append(.literal(character))
            }
        }
        if isEscaped { parts.append(.literal("\\")) }
        self.parts = parts
    }

    /// Greedy with one way back: linear in practice, and at worst the product of both lengths.
    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var (position, part) = (0, 0)
        var back: (position: Int, part: Int)?
        while position < text.count {
            if part < parts.count, parts[part] == .any {
                back = (position, part)
                part += 1
            } else if part < parts.count, parts[part] == .one || parts[part] == .literal(text[position]) {
                position += 1
                part += 1
            } else if let last = back {
                back = (last.position + 1, last.part)
                position = last.position + 1
                part = last.part + 1
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .any }
    }
}
