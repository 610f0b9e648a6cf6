internal import ControlPlane

extension EC2Dialect {
    static let volumeCopyActions = [
        EC2Action(
            "CopyVolumes", isChange: true,
            lacks: "another key, or encryption, than the source's; volumes of other accounts", copyVolumes
        )
    ]

    private static let copyVolumes: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let source = try sourceVolume(call.parameters["SourceVolumeId"])
        let plan = try NewVolumePlan(copyOf: source, call)
        try call.dryRun()
        let copy = try await copy(source, plan, call)
        return .elements { writer in
            writer.list("volumeSet", [copy]) { VolumeWords.write($1, call, isDescribed: false, into: &$0) }
        }
    }

    /// The control plane looks at the token before it looks at the source, which may be gone since, or larger: so what is wrong
    /// with that is said only after it.
    private static func copy(_ source: String, _ plan: NewVolumePlan, _ call: EC2Call) async throws -> VolumeView {
        let volume: VolumeView?
        do { volume = try await Self.volume(source, call) } catch is EC2Failure { volume = nil }
        do {
            return try await make(plan.request(copyOf: source), call)
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.missing, .volume): throw EC2Identifier.noVolume(source)
            case (.invalid, .volume):
                // An id of eight digits has the right form for Amazon, and nobody here has one.
                guard let volume else { throw EC2Identifier.noVolume(source) }
                try plan.checkCopy(of: volume)
                throw error
            case (.wrongState, .volume):
                throw EC2Failure(
                    "IncorrectState", "Volume '\(source)' is not in the 'available' or 'in-use' state.")
            default: throw error
            }
        }
    }

    private static func sourceVolume(_ id: String?) throws(EC2Failure) -> String {
        guard let id, !id.isEmpty else { throw .missing("SourceVolumeId") }
        guard id.hasPrefix("vol-") else {
            throw .invalidValue("Value (\(id)) for parameter sourceVolumeId is invalid. Expected: 'vol-...'.")
        }
        guard EC2Identifier.isForm(id, prefix: "vol-") else {
            throw EC2Failure("InvalidVolumeID.Malformed", "Value ( \(id) ) for parameter VOLUME is invalid. ")
        }
        return id
    }
}
