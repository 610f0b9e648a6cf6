internal import Blocks
internal import Catalog

/// Something that whoever looks after the server should know without asking.
public struct HouseNotice: Sendable, Equatable {
    /// Does it want somebody to do something?
    public var isTrouble: Bool
    /// A sentence or two: what happened, and what to do.
    public var text: String

    static func degraded(_ mark: DamageRecord) -> HouseNotice {
        HouseNotice(
            isTrouble: true,
            text: "the snapshot \(mark.snapshotID) is degraded: \(mark.bytes.bytes) bytes of it cannot be read"
                + (mark.problems.first.map { " (\($0))" } ?? "") + "; see varve snapshot show")
    }
    static func unopened(_ keys: [String], _ file: String) -> HouseNotice {
        HouseNotice(
            isTrouble: true,
            text: "\(keys.count) access keys cannot be opened with \(file) and are not accepted (\(keys[0])"
                + (keys.count > 1 ? ", ..." : "") + "): bring that file back from a backup, or delete them")
    }
    static func whole(_ snapshot: String) -> HouseNotice {
        HouseNotice(isTrouble: false, text: "the snapshot \(snapshot) is whole again")
    }
    static func healed(_ frames: Int, _ bytes: ByteCount) -> HouseNotice {
        HouseNotice(isTrouble: false, text: "\(frames) damaged frames (\(bytes.bytes) bytes) were healed from volumes")
    }
    static func storeDegraded(_ reason: String) -> HouseNotice {
        HouseNotice(isTrouble: true, text: "the store does not work, snapshots wait: \(reason)")
    }
    static func unrecorded(_ verb: String, _ account: String, _ reason: String) -> HouseNotice {
        HouseNotice(
            isTrouble: true, text: "the event of \(verb) by account \(account) could not be written: \(reason)")
    }
    static let storeRecovered = HouseNotice(isTrouble: false, text: "the store works again")
}
