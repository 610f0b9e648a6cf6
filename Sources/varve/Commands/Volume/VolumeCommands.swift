internal import ArgumentParser

/// `varve volume ...`
struct VolumeCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Make, show, attach, restore and delete volumes.",
        subcommands: [
            VolumeCreate.self, VolumeCopy.self, VolumeImport.self, VolumeList.self, VolumeShow.self, VolumeURI.self,
            VolumeAttach.self, VolumeDetach.self, VolumeModify.self, VolumeResize.self, VolumeRollBack.self,
            VolumeReinitialise.self, VolumeExport.self, VolumeDelete.self,
        ])
}
