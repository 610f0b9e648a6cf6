internal import Blocks
internal import ControlPlane

/// A lock that is asked for.
struct LockDocument: NativeDocument {
    static let keys = ["mode", "days", "expiresAt", "coolOffHours"]
    let request: LockSnapshot

    init(_ fields: NativeFields) throws {
        let word: String = try fields.required("mode")
        guard let mode = SnapshotLockView.Mode(rawValue: word) else {
            let known = SnapshotLockView.Mode.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalid, .snapshot, "the mode '\(word)' is not known; known are \(known)")
        }
        let days: Int? = try fields.optional("days"), date: WallTime? = try fields.optional("expiresAt")
        let end: LockSnapshot.End
        switch (days, date) {
        case (let days?, nil): end = .days(days)
        case (nil, let date?): end = .at(date)
        default: throw ServiceError(.invalid, .snapshot, "give either days or expiresAt")
        }
        request = LockSnapshot(mode: mode, end: end, coolOffHours: try fields.optional("coolOffHours"))
    }
}
