internal import Blocks
internal import Catalog
internal import Repository

/// Gives data keys another wrapping key.
///
/// 1. Record the task, and the new key as that of new volumes.      From here on only forward.
/// 2. The repository wraps each data key anew and drops the old wraps (``KeyRotation`` says why that may stop anywhere).
/// 3. Record which key opens what.
/// Each step may run twice; a crash repeats 2. Data keys that `from` wraps and no key at hand opens make it wait for that.
struct RotateKeys: Sendable {
    let house: Household

    /// Step 1, then the first try of the rest. The keys were checked.
    func begin(to target: KeyID, from old: KeyID?) async throws -> TaskRecord {
        let task = house.newTask(.rotateKeys, about: target.description, of: nil, argument: old?.description)
        try await house.catalog.change { session in
            try session.insert(task)
            try session.set(Household.defaultKeySetting, to: target.description)
        }
        Failpoint.hit("rotate.recorded")
        await run(task)
        return task
    }

    /// Takes up, or goes on with, a rotation that is recorded.
    func run(_ task: TaskRecord) async {
        _ = await house.runner.start(task) { try await attempt(task) }
    }

    /// One rotation at a time: two that put the same record would lose one's wrap. No volume waits in this lane, so it may
    /// be held across calls on the store.
    static let lane = "key-rotation"

    private func attempt(_ task: TaskRecord) async throws -> Attempt {
        let target = try Household.keyID(task.subjectID)
        let old = try task.argument.map(Household.keyID)
        return try await house.lanes.run(Self.lane) {
            let (report, keys) = try await house.remote.run { [house] in
                let repository = try house.door.repository()
                return (try repository.rotate(to: target, from: old), try repository.dataKeys())
            }
            try await house.catalog.change { session in
                // A store that lists less than there is has not been asked for all of it.
                let found = Set(keys.map(\.id.text))
                if let lost = try session.dataKeys().first(where: { !found.contains($0.id) }) {
                    throw ServiceError(
                        .unavailable, .store, "the store does not list the data key \(lost.id): is it all there?")
                }
                for key in keys {
                    try session.set(KeyRecord(id: key.id.text, keyID: key.wrappedBy.last?.description ?? ""))
                }
            }
            Failpoint.hit("rotate.catalogued")
            guard old != nil, !report.locked.isEmpty else { return .done }
            return .wait(
                "the key \(task.argument ?? "") is not here any more, and \(report.locked.count) data keys need it")
        }
    }
}
