internal import Blocks

/// Gives data keys another wrapping key. No frame is read or written: data keys stay what they are.
///
/// 1. Each data key's record gets a wrap by the new key beside the old ones, is read back, and opened with the new key.
/// 2. Each record is put without the old wraps.
///
/// Each put replaces one small object at once, so a record has its old wraps (and maybe the new) until 1 is done with all,
/// and the new one ever after: a crash anywhere leaves every data key to be opened by the old key or by both in 1, by both
/// or by the new one in 2. Running it again, any number of times, finishes it.
struct KeyRotation {
    let vault: KeyVault
    let access: PackAccess
    let keys: Keys
    let target: KeyID
    /// Only records that this key opens, and only its wraps go; nil: all that can be opened, and all other wraps go.
    let old: KeyID?

    func run() throws(RepositoryFailure) -> RotationReport {
        guard let key = try vault.wrappingKey(target) else {
            throw .invalid("the key \(target) is not here: serve with its --key-file or --passphrase-file")
        }
        guard old != target else { throw .invalid("the key \(target) cannot be rotated to itself") }
        try vault.requireStore()
        var report = RotationReport()
        var done: [DataKeyID] = []
        for id in try vault.dataKeyIDs() {
            let record = try vault.record(id)
            guard concerns(record) else {
                report.untouched += 1
                continue
            }
            do throws(RepositoryFailure) {
                try add(key, to: record)
                done.append(id)
            } catch {
                guard case .keyMissing = error else { throw error }
                report.locked.append(id)
            }
        }
        Failpoint.hit("rotate.added")
        for id in done { try drop(from: try vault.record(id)) }
        report.rotated = done.count
        return report
    }

    private func concerns(_ record: DataKeyRecord) -> Bool {
        if let old { return record.wraps.contains { $0.key == old } }
        return record.wraps.map(\.key) != [target]
    }

    private func add(_ key: Secret, to record: DataKeyRecord) throws(RepositoryFailure) {
        if !record.wraps.contains(where: { $0.key == target }) {
            var wrapped = record
            wrapped.add(try vault.dataKey(record), for: target, key)
            try access.put(wrapped.encoded(), at: keys.dataKey(record.id))
            Failpoint.hit("rotate.wrapped")
        }
        // The old wrap must not go on the strength of what is only believed to be there.
        let stored = try vault.record(record.id)
        guard let wrap = stored.wraps.first(where: { $0.key == target }), stored.open(wrap, key) != nil else {
            throw .corrupt(
                object: keys.dataKey(record.id), blocks: nil, reason: "the new key does not open what was just put")
        }
    }

    private func drop(from record: DataKeyRecord) throws(RepositoryFailure) {
        var rest = record
        rest.wraps.removeAll { $0.key != target && (old == nil || $0.key == old) }
        precondition(rest.wraps.contains { $0.key == target }, "a data key never loses its last wrap")
        if rest == record { return }
        try access.put(rest.encoded(), at: keys.dataKey(record.id))
        Failpoint.hit("rotate.unwrapped")
    }
}

/// What a rotation did.
public struct RotationReport: Equatable, Sendable {
    /// Data keys that the new key opens now, and the old one no more.
    public var rotated = 0
    /// Data keys that it did not concern.
    public var untouched = 0
    /// Data keys that no key at hand opens: left as they are.
    public var locked: [DataKeyID] = []
}
