/// The two types of snapshots: a common one is there once it is stored, a local one from its cut on. Here both are stored.
///
/// The services spell them in two ways, so what is read is read in either, whatever the case.
enum SnapshotTypes {
    private static let common = "CommonSnapShot", local = "LocalSnapShot"
    private static let policyCommon = "CommonSnapshot", policyLocal = "LocalSnapshot"

    /// As `ebs` and images spell it.
    static func word(_ isLocal: Bool) -> String { isLocal ? local : common }

    /// As policies do.
    static func policyWord(_ isLocal: Bool) -> String { isLocal ? policyLocal : policyCommon }

    /// Nil if the parameter is not there.
    static func isLocal(_ name: String, _ parameters: KingsoftParameters) throws(KingsoftFailure) -> Bool? {
        try parameters.word(name, of: [common, local], ignoringCase: true).map { $0 == local }
    }
}
