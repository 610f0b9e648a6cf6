internal import Catalog

/// The verbs on tags. Every error is a ``ServiceError``.
public struct TagService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Writes tags on objects, replacing those with the same key: on all of them or on none. What others share has tags of the
    /// caller's account besides its owner's (``TagHolder``).
    public func set(_ tags: [String: String], on objects: [String]) async throws {
        try await ServiceError.about(.tag) {
            try TagRules.check(tags)
            try await change(objects) { session, object, holder in
                let known = try holder.tags(of: object, session)
                try TagRules.check(count: known.merging(tags) { _, new in new }.count, of: object)
                for (key, value) in tags {
                    try holder.set(known.spelling(of: key), to: value, on: object, session)
                }
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
        guard objects.count <= TagRules.objectsMax else {
            throw ServiceError(
                .invalid, .tag, "\(objects.count) objects at once: at most \(TagRules.objectsMax) are allowed")
        }
        for object in objects { try await check(object) }
        try await house.catalog.change { [caller] session in
            for object in objects {
                // One that went meanwhile is to leave no tags behind.
                guard let holder = try TagHolder(of: caller, on: object, session) else { continue }
                try body(session, object, holder)
            }
        }
        for object in objects { house.announce(object) }
    }

    /// Is it the caller's, or shared with them? What is in the own bin can be tagged, too.
    private func check(_ object: String) async throws {
        if object.hasPrefix(Identifier.volume.rawValue) {
            _ = try await house.keptVolume(object, for: caller)
        } else if object.hasPrefix(Identifier.snapshot.rawValue) {
            do { _ = try await house.keptSnapshot(object, for: caller) } catch let error as ServiceError {
                guard error.code == .missing else { throw error }
                _ = try await house.usableSnapshot(object, for: caller)
            }
        } else if object.hasPrefix(Identifier.instance.rawValue) {
            _ = try await InstanceService(house, caller).record(object)
        } else if object.hasPrefix(Identifier.image.rawValue) {
            do { try await ImageService(house, caller).checkKept(object) } catch let error as ServiceError {
                guard error.code == .missing else { throw error }
                _ = try await house.usableImage(object, for: caller)
            }
        } else if object.hasPrefix(Identifier.policy.rawValue) {
            _ = try await PolicyService(house, caller).record(object)
        } else {
            throw ServiceError(.invalid, .tag, "\"\(object.quotable)\" is no id of something that can have tags")
        }
    }
}

extension [String: String] {
    /// An equal key as it was written first: accented letters can be written in two ways, which are equal here and two to the
    /// catalog.
    fileprivate func spelling(of key: String) -> String { index(forKey: key).map { keys[$0] } ?? key }
}
