internal import Catalog

/// The verbs on tags. Every error is a ``ServiceError``.
public struct TagService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Refuses more objects than one request may have; for a door to ask before it looks at any.
    public static func check(objects: [String]) throws {
        guard objects.count <= TagRules.objectsMax else {
            throw ServiceError(
                .invalid, .tag, "\(objects.count) objects at once: at most \(TagRules.objectsMax) are allowed")
        }
    }

    /// Writes tags on objects, replacing those with the same key: on all of them or on none. What others share has tags of the
    /// caller's account besides its owner's (``TagHolder``).
    ///
    /// - Parameter most: tags that each may have then; nil: as many as the house allows.
    public func set(_ tags: [String: String], on objects: [String], atMost most: Int? = nil) async throws {
        try await ServiceError.about(.tag) {
            try TagRules.check(tags)
            try await change(objects) { session, object, holder in
                let known = try holder.tags(of: object, session)
                let count = known.merging(tags) { _, new in new }.count
                try TagRules.check(count: count, of: object)
                if let most, count > most {
                    throw ServiceError(
                        .limitExceeded, .tag, "\(object) would have \(count) tags: at most \(most) are allowed")
                }
                for (key, value) in tags {
                    try holder.set(known.spelling(of: key), to: value, on: object, session)
                }
            }
        }
    }

    /// Makes these the only tags of objects: of all of them or of none.
    public func replace(with tags: [String: String], on objects: [String]) async throws {
        try await ServiceError.about(.tag) {
            try TagRules.check(tags)
            try await change(objects) { session, object, holder in
                try TagRules.check(count: tags.count, of: object)
                for key in try holder.tags(of: object, session).keys {
                    try holder.remove(key, value: nil, from: object, session)
                }
                for (key, value) in tags { try holder.set(key, to: value, on: object, session) }
            }
        }
    }

    /// Removes tags by key, those with a value only if they have it; nil removes all. Those that are not there are no error.
    public func remove(_ tags: [String: String?]?, from objects: [String]) async throws {
        try await ServiceError.about(.tag) {
            try await change(objects) { session, object, holder in
                let known = try holder.tags(of: object, session)
                for (key, value) in tags ?? known.mapValues({ _ in nil }) {
                    try holder.remove(known.spelling(of: key), value: value, from: object, session)
                }
            }
        }
    }

    private func change(
        _ objects: [String], verb: String = #function,
        _ body: @escaping @Sendable (CatalogSession, String, TagHolder) throws -> Void
    ) async throws {
        try caller.mayChange(.tag, verb: verb)
        try Self.check(objects: objects)
        let kinds = try objects.map { (object: $0, kind: try TagRules.Kind(of: $0)) }
        try await house.catalog.change { [house, caller] session in
            for (object, kind) in kinds {
                try body(session, object, try TagHolder(of: caller, on: object, kind, in: house, session))
            }
        }
        for object in objects { house.announce(object) }
    }
}

extension [String: String] {
    /// An equal key as it was written first: accented letters can be written in two ways, which are equal here and two to the
    /// catalog.
    fileprivate func spelling(of key: String) -> String { index(forKey: key).map { keys[$0] } ?? key }
}
