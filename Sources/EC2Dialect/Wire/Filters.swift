internal import Blocks

/// `Filter.N.Name` and `Filter.N.Value.M`: values of one filter are alternatives, all filters must hold.
struct Filters: Sendable {
    private static let valuesMax = 200
    /// Characters that one request may have compared with its values: some tenth of a second. Patterns can be made so that each
    /// comparison takes the product of both lengths.
    static let stepsMax = 20_000_000
    private let stepsLeft = Guarded(stepsMax)

    struct Filter: Sendable {
        let name: String
        let values: [Wildcard]
    }

    /// The values that a name's filter has, if it has one and no value has wildcards: nothing else can match.
    func exact(_ name: String) -> [String]? {
        guard let filter = all.first(where: { $0.name == name }) else { return nil }
        let texts = filter.values.compactMap(\.text)
        return texts.count == filter.values.count ? texts : nil
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

    /// Do all filters hold? `values`: what the object has under a filter's name, nothing under the names of tags.
    func match(tags: [Tag], _ values: (String) -> [String]) throws(EC2Failure) -> Bool {
        for filter in all {
            var isFound = false
            for value in Self.values(filter.name, tags, values) where !isFound {
                isFound = try matches(value, filter)
            }
            guard isFound else { return false }
        }
        return true
    }

    private func matches(_ value: String, _ filter: Filter) throws(EC2Failure) -> Bool {
        let text = Array(value.unicodeScalars)
        var steps = 0
        let isFound = filter.values.contains { $0.matches(text, &steps) }
        let left = stepsLeft.withLock { left in
            left -= steps
            return left
        }
        guard left > 0 else {
            throw EC2Failure("FilterLimitExceeded", "The filters take too long to compare: use fewer wildcards.")
        }
        return isFound
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
    private enum Part: Equatable { case any, one, literal(Unicode.Scalar) }
    private let parts: [Part]

    init(_ pattern: String) {
        var parts: [Part] = []
        var isEscaped = false
        for character in pattern.unicodeScalars {
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

    /// What it matches, if that is one text.
    var text: String? {
        var scalars = String.UnicodeScalarView()
        for part in parts {
            guard case .literal(let scalar) = part else { return nil }
            scalars.append(scalar)
        }
        return String(scalars)
    }

    /// Greedy with one way back: linear in practice, and at worst the product of both lengths.
    ///
    /// - Parameter steps: grows by what it took.
    func matches(_ text: [Unicode.Scalar], _ steps: inout Int) -> Bool {
        var (position, part) = (0, 0)
        var back: (position: Int, part: Int)?
        steps += 1
        while position < text.count {
            steps += 1
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
