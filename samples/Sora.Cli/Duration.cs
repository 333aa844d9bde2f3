using System.CommandLine;
using System.Globalization;

namespace Sora.Cli;

/// <summary>Lengths in seconds, as the command line takes them.</summary>
internal static class Duration
{
    private const double Most = 86_400;

    /// <summary>The length of a new video.</summary>
    public static readonly Option<double?> Seconds = Setting.Number<double>("--seconds", "S",
        "Length in seconds, in place of --frames, rounded to what the model can make [default: the model's]");

    /// <exception cref="SoraException">Out of range.</exception>
    public static double Require(double seconds) => seconds > 0 && seconds <= Most ? seconds
        : throw new SoraException(string.Create(CultureInfo.InvariantCulture, $"--seconds {seconds} is out of range; allowed: more than 0, up to {Most}."));

    /// <summary>The request with the length that <see cref="Seconds"/> says, told where it is not exactly that.</summary>
    /// <exception cref="SoraException">It is out of range, or --frames is given too.</exception>
    public static VideoRequest Apply(ParseResult line, VideoRequest request, ModelLimits limits)
    {
        if (line.GetValue(Seconds) is not { } given)
            return request;
        if (line.GetValue(GenerateOptions.Frames) is not null)
            throw new SoraException("--seconds and --frames both say how long the video is; give one of them.");
        int rate = request.FramesPerSecond ?? limits.FramesPerSecond;
        double exact = Require(given) * rate;
        int frames = limits.NearestFrameCount((int)Math.Min(Math.Round(exact), int.MaxValue));
        if (Math.Abs(exact - frames) > 0.5 && !line.GetValue(GenerateOptions.Quiet))
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Note: {given} s at {rate} frames a second are {exact:0.##} frames; the model makes {limits.TemporalStride}n + 1, the nearest is {frames}."));
        return request with { FrameCount = frames };
    }
}
