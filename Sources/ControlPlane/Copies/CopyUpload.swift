internal import Blocks

/// One copy on its way into this region.
final class CopyUpload: Uploading {
    let snapshot: String
    let course = UploadCourse()
    private let builtOn = Guarded<String?>(nil)

    init(_ snapshot: String) { self.snapshot = snapshot }

    /// What it builds on, once that is known: a completed snapshot.
    var parent: String? { builtOn.withLock { $0 } }
    func buildsOn(_ parent: String?) { builtOn.withLock { $0 = parent } }
}
