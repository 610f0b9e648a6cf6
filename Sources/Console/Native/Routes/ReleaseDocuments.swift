internal import Blocks
internal import ControlPlane

/// When a snapshot is to be deleted by itself: in days from when it was made, or a time in UTC.
struct ReleaseFields {
    static let keys = ["releaseAfterDays", "releaseAt"]
    let release: SnapshotRelease?

    init(_ fields: NativeFields) throws {
        let days: Int? = try fields.optional("releaseAfterDays")
        let time: WallTime? = try fields.optional("releaseAt")
        if days != nil, time != nil {
            throw ServiceError(.invalid, .snapshot, "either releaseAfterDays or releaseAt says when it is released")
        }
        release = days.map { .days($0) } ?? time.map { .at($0) }
    }
}

/// What is to change of a snapshot.
struct ModifySnapshotDocument: NativeDocument {
    static let keys = ["name", "description", "neverRelease"] + ReleaseFields.keys
    let change: ModifySnapshot

    init(_ fields: NativeFields) throws {
        var change = ModifySnapshot()
        change.name = try fields.optional("name")
        change.description = try fields.optional("description")
        let release = try ReleaseFields(fields).release
        change.release = release.map { .when($0) }
        if try fields.optional("neverRelease") ?? false {
            guard release == nil else {
                throw ServiceError(.invalid, .snapshot, "with neverRelease no time says when it is released")
            }
            change.release = .never
        }
        self.change = change
    }
}
