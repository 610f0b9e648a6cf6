internal import Repository
internal import VolumeEngine

/// One pending snapshot of a volume on its way to the store.
final class Upload: Uploading {
    let volume: String
    /// The volume's frozen view: what is uploaded.
    let view: CutView
    let course = UploadCourse()

    init(_ view: CutView, of volume: String) {
        self.view = view
        self.volume = volume
    }

    var snapshot: String { view.snapshot }
    var parent: String? { view.parent }
}
