using System.Globalization;

namespace Sora.Frames;

/// <summary>How an ffmpeg or ffprobe ended.</summary>
/// <param name="Tool">ffmpeg or ffprobe.</param>
/// <param name="Code">The exit code; 128 + signal when a signal ended it.</param>
/// <param name="LastLines">The last lines it wrote to its error stream; empty when it was content.</param>
internal sealed record FFmpegExit(string Tool, int Code, string LastLines)
{
    /// <summary>Whether somebody or something ended it from outside, or it crashed.</summary>
    /// <remarks>
    /// ffmpeg exits with 255 when it obeys SIGINT or SIGTERM. Since version 6 it also exits with the low byte of an
    /// error number, which lies outside the range of signals (183 for invalid data, 254 for a missing file).
    /// </remarks>
    public bool WasKilled => Code is 255 or (> 128 and < 160);

    /// <summary>The failure in words, with the tool's own last lines.</summary>
    /// <param name="doing">What was being done: <c>writing 'fish.mp4'</c>.</param>
    public string Describe(string doing)
    {
        string how = Code switch
        {
            > 128 and < 160 => string.Create(CultureInfo.InvariantCulture, $"was killed by signal {Code - 128}"),
            255 => "was told to stop",
            0 => "ended too early",
            _ => string.Create(CultureInfo.InvariantCulture, $"failed with exit code {Code}"),
        };
        return LastLines.Length == 0 ? $"{Tool} {how} while {doing}." : $"{Tool} {how} while {doing}:\n{LastLines}";
    }
}
