internal import Blocks
internal import Catalog
internal import Repository

/// The verbs on wrapping keys, which the operator of the house gives it. Every error is a ``ServiceError``. Keys themselves are never shown.
public struct KeyService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Every wrapping key that is here or that something needs.
    public func list() async throws -> [KeyView] {
        try await ServiceError.about(.store) {
            try caller.mustRunHouse(.store, leavesEvent: false)
            let held = try await house.remote.run { [house] in
                try house.door.repository().heldKeys().map(\.description)
            }
            let (keys, chosen) = try await house.catalog.change { session in
                (try session.dataKeys(), try session.setting(Household.defaultKeySetting))
            }
            let counts = Dictionary(grouping: keys, by: \.keyID).mapValues(\.count)
            let standard = chosen.flatMap { held.contains($0) ? $0 : nil } ?? held.first
            let others = counts.keys.filter { !held.contains($0) }.sorted()
            return (held + others).map { id in
                KeyView(id: id, isHere: held.contains(id), isDefault: id == standard, dataKeyCount: counts[id] ?? 0)
            }
        }
    }

    /// What stands for a passphrase that the store does not know yet.
    public static let newPassphrase = "new-passphrase"

    /// Makes `target` the wrapping key of what `old` opens (nil: of all that can be opened). Both must be here. It goes on
    /// after a restart until it is done; nothing needs to stop meanwhile.
    public func rotate(to target: String, from old: String? = nil) async throws -> RotationView {
        try await ServiceError.about(.store) {
            try caller.mustRunHouse(.store)
            let old = try old.map(Household.keyID)
            let wanted = target == Self.newPassphrase ? nil : try Household.keyID(target)
            let target = try await house.remote.run { [house] in
                let repository = try house.door.repository()
                let target = try wanted ?? repository.registerPassphrase()
                for key in [target, old].compactMap({ $0 }) where try !repository.holds(key) {
                    throw ServiceError(
                        .invalid, .store,
                        "the key \(key) is not here: serve with its --key-file or --passphrase-file, beside the others")
                }
                return target
            }
            guard target != old else {
                throw ServiceError(.invalid, .store, "the key \(target) cannot be rotated to itself")
            }
            let begun = try await RotateKeys(house: house).begin(to: target, from: old)
            let (task, count) = try await house.catalog.change { session in
                (try session.task(begun.id), try session.dataKeys().count { $0.keyID == target.description })
            }
            return RotationView(
                taskId: begun.id, keyId: target.description, isDone: task?.state == .succeeded, reason: task?.lastError,
                dataKeyCount: count)
        }
    }
}

/// A wrapping key as an operator sees it. The JSON of the native API has exactly these names.
public struct KeyView: Codable, Equatable, Sendable {
    /// Its name.
    public var id: String
    /// Was it given to this server?
    public var isHere: Bool
    /// Do new encrypted volumes get it?
    public var isDefault: Bool
    /// Lineages whose data key it opens.
    public var dataKeyCount: Int

    /// Makes one.
    public init(id: String, isHere: Bool, isDefault: Bool, dataKeyCount: Int) {
        self.id = id
        self.isHere = isHere
        self.isDefault = isDefault
        self.dataKeyCount = dataKeyCount
    }
}

/// How a rotation went. The JSON of the native API has exactly these names.
public struct RotationView: Codable, Equatable, Sendable {
    /// Its task.
    public var taskId: String
    /// The key rotated to.
    public var keyId: String
    /// Is it done? If not, it goes on by itself.
    public var isDone: Bool
    /// What it waits for, or nil.
    public var reason: String?
    /// Lineages whose data key the new key opens now.
    public var dataKeyCount: Int

    /// Makes one.
    public init(taskId: String, keyId: String, isDone: Bool, reason: String?, dataKeyCount: Int) {
        self.taskId = taskId
        self.keyId = keyId
        self.isDone = isDone
        self.reason = reason
        self.dataKeyCount = dataKeyCount
    }
}
