namespace Sora.Frames;

/// <summary>
/// ffmpeg failed for a reason that is not the user's request: it was killed, the disk is full, the build is broken.
/// The message ends with ffmpeg's own last lines. A file that ffmpeg cannot read is a <see cref="SoraException"/>.
/// </summary>
public sealed class FFmpegException : Exception
{
    /// <summary>Creates the exception with a message that carries ffmpeg's own words.</summary>
    public FFmpegException(string message) : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the error that revealed the failure.</summary>
    public FFmpegException(string message, Exception? innerException) : base(message, innerException)
    {
    }

    /// <summary>Creates the exception with a general message.</summary>
    public FFmpegException() : base("ffmpeg failed.")
    {
    }
}
