/// What tags may be. The dialects refuse more where their clouds do.
enum TagRules {
    static let keyMax = 128
    static let valueMax = 256
    /// Tags of one object.
    static let countMax = 50
    /// Objects that one request may tag.
    static let objectsMax = 1000

    /// What can have tags.
    enum Kind: CaseIterable {
        case volume, snapshot, group, instance, image, policy

        private var identifier: Identifier {
            switch self {
            case .volume: .volume
            case .snapshot: .snapshot
            case .group: .group
            case .instance: .instance
            case .image: .image
            case .policy: .policy
            }
        }

        private var noun: ServiceError.Noun {
            switch self {
            case .volume: .volume
            case .snapshot, .group: .snapshot
            case .instance: .instance
            case .image: .image
            case .policy: .policy
            }
        }

        /// What an id is of.
        init(of object: String) throws {
            guard let kind = Self.allCases.first(where: { object.hasPrefix($0.identifier.rawValue) }) else {
                throw ServiceError(
                    .invalid, .tag, "\"\(object.quotable)\" is no id of something that can have tags")
            }
            try kind.identifier.check(object, kind.noun)
            self = kind
        }
    }

    static func check(_ tags: [String: String]) throws {
        for (key, value) in tags {
            let (keyCount, valueCount) = (key.unicodeScalars.count, value.unicodeScalars.count)
            guard keyCount > 0, keyCount <= keyMax else {
                throw ServiceError(
                    .invalid, .tag,
                    "the tag key \"\(key.quotable)\" has \(keyCount) characters: 1 to \(keyMax) are allowed")
            }
            guard valueCount <= valueMax else {
                throw ServiceError(
                    .invalid, .tag,
                    "the value of the tag \"\(key.quotable)\" has \(valueCount) characters: at most \(valueMax) are allowed"
                )
            }
            for text in [key, value] where !text.unicodeScalars.allSatisfy(\.isPrintable) {
                throw ServiceError(.invalid, .tag, "\"\(text.quotable)\" has characters that cannot be printed")
            }
        }
    }

    static func check(count: Int, of object: String) throws {
        guard count <= countMax else {
            throw ServiceError(
                .limitExceeded, .tag, "\(object) would have \(count) tags: at most \(countMax) are allowed")
        }
    }
}
