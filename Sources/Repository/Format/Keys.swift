/// Where each object lies.
struct Keys: Sendable {
    let prefix: String

    var repository: String { prefix + "repository.json" }
    var snapshots: String { prefix + "snapshots/" }
    var trash: String { prefix + "trash/" }
    var packs: String { prefix + "packs/" }
    var uploads: String { prefix + "uploads/" }
    var dataKeys: String { prefix + "keys/data/" }
    var passphrases: String { prefix + "keys/passphrase/" }
    var candidates: String { prefix + "reclaim/candidates" }
    var clockMark: String { prefix + "reclaim/clock" }

    func manifest(_ id: SnapshotID) -> String { snapshots + id.text }
    func trashed(_ id: SnapshotID) -> String { trash + id.text }
    func upload(_ id: SnapshotID) -> String { uploads + id.text }
    func packs(of id: SnapshotID) -> String { packs + id.text + "/" }
    func dataKey(_ id: DataKeyID) -> String { dataKeys + id.text }
    func passphrase(_ id: KeyID) -> String { passphrases + id.uuid }
    /// Numbers have at least eight digits, so that keys sort like numbers as long as there are fewer than 10^8.
    func pack(_ name: PackName) -> String {
        let digits = String(name.number)
        return packs(of: name.snapshot) + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The snapshot that a key below `folder` names, or nil for anything else.
    func id(_ key: String, in folder: String) -> SnapshotID? {
        guard key.hasPrefix(folder) else { return nil }
        return SnapshotID(String(key.dropFirst(folder.count)))
    }

    /// The pack that a key names, or nil for anything else.
    func packName(_ key: String) -> PackName? {
        guard key.hasPrefix(packs) else { return nil }
        let parts = key.dropFirst(packs.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = SnapshotID(String(parts[0])), let number = Int(parts[1]), number > 0 else {
            return nil
        }
        let name = PackName(id, number)
        return pack(name) == key ? name : nil
    }
}
