package org.sartor.camera.ui

/** Everything that a user can do. */
interface Actions {
    /** Start the camera, and ask for the permission if it is missing. */
    fun startCamera()

    /** Open the settings of the app. */
    fun openSettings()

    /** Use the next camera. */
    fun switchCamera()

    /** Let the user choose a photo, and predict it. */
    fun choosePhotoToPredict()

    /** Show the camera in the place of a photo. */
    fun clearPhoto()

    /** Record frames as samples of a class while `held`. */
    fun record(label: String, held: Boolean)

    /** Choose whether new samples are test samples. */
    fun setTest(isTest: Boolean)

    /** Add a class without samples. */
    fun addClass()

    /** Rename a class. */
    fun renameClass(label: String, name: String)

    /** Delete a class and its samples. */
    fun removeClass(label: String)

    /** Delete samples of a class. */
    fun forget(label: String, ids: List<Long>)

    /** Let the user choose photos, and add them to a class. */
    fun choosePhotos(label: String)

    /** Open the sheet of a class. */
    fun openClass(label: String)

    /** Open the sheet of the project. */
    fun openProject()

    /** Close the open sheet. */
    fun closeSheet()

    /** Train on all training samples. */
    fun train()

    /** Pause the training, or let it continue. */
    fun pauseOrResume()

    /** Stop the training. */
    fun stopTraining()

    /** Measure the model on the test samples. */
    fun evaluate()

    /** Let the user choose where to save a file. */
    fun save(content: FileContent)

    /** Send the model with another app. */
    fun shareModel()

    /** Let the user choose a file to open. */
    fun chooseFile()

    /** Open the project that replaces samples. */
    fun replaceSamples()

    /** Open a base of the list; the samples move to it. */
    fun openBase(key: String)

    /** Open a base although some samples cannot move to it. */
    fun leaveSamples(key: String)

    /** Delete a base that is not open, and its samples. */
    fun removeBase(key: String)

    /** Delete all classes and samples. */
    fun clearProject()

    /** Try again after the storage was full. */
    fun clearStorageError()

    /** Hide the message. */
    fun dismissMessage()
}

/** The files that the app writes: the end of the name, and the MIME type. */
enum class FileContent(val extension: String, val mimeType: String) {
    MODEL("tflite", "application/octet-stream"),
    PROJECT("sartor", "application/octet-stream"),
    CHECKPOINT("safetensors", "application/octet-stream"),
}
