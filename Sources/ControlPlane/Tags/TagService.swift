internal import Catalog

/// The verbs on tags. Every error is a ``ServiceError``.
public struct TagService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Writes tags on objects, replacing those with the same key: on all of them or on none.
    public func set(_ tags: [String: String], on objects: [String]) async throws {
        try await ServiceError.about(.tag) {
            try TagRules.check(tags)
            try await change(objects) { session, object in
                let known = try session.tags(of: object)
                try TagRules.check(count: known.merging(tags) { _, new in new }.count, of: object)
                for (key, value) in tags { try session.setTag(known.spelling(of: key), to: value, on: object) }
            }
        }
    }

    /// Removes tags by key, those with a value only if they have it; nil removes all. Those that are not there are no error.
    public func remove(_ tags: [String: String?]?, from objects: [String]) async throws {
        try await ServiceError.about(.tag) {
            try await change(objects) { session, object in
                let known = try session.tags(of: object)
                for (key, value) in tags ?? known.mapValues({ _ in nil }) {
                    try session.removeTag(known.spelling(of: key), value: value, from: object)
                }
            }
        }
    }

    private func change(
        _ objects: [String], verb: String = #function,
        _ body: @escaping @Sendable (CatalogSession, String) throws -> Void
    ) async throws {
        try caller.mayChange(.tag, verb: verb)
        guard objects.count <= TagRules.objectsMax else {
            throw ServiceError(
                .invalid, .tag, "\(objects.count) objects at once: at most \(TagRules.objectsMax) are allowed")
        }
        for object in objects { try await check(object) }
        try await house.catalog.change { session in
            for object in objects {
                // One that went meanwhile is to leave no tags behind.
                let isThere =
                    try session.volume(object) != nil || session.snapshot(object)?.isDeleted == false
                    || session.instance(object) != nil || session.policy(object) != nil
                    || session.image(object).map { $0.state != .deregistered } == true
                guard isThere else { continue }
                try body(session, object)
            }
        }
        for object in objects { house.announce(object) }
    }

    /// Is it the caller's? What is in the bin can be tagged, too.
    private func check(_ object: String) async throws {
        if object.hasPrefix(Identifier.volume.rawValue) {
            _ = try await house.keptVolume(object, for: caller)
        } else if object.hasPrefix(Identifier.snapshot.rawValue) {
            _ = try await house.keptSnapshot(object, for: caller)
        } else if object.hasPrefix(Identifier.instance.rawValue) {
            _ = try await InstanceService(house, caller).record(object)
        } else if object.hasPrefix(Identifier.image.rawValue) {
            try await ImageService(house, caller).checkKept(object)
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
