using System.Globalization;

namespace Sora.Frames;

/// <summary>Decodes a probed file to packed pixels, a frame at a time, through a pipe from ffmpeg.</summary>
internal static class RawDecoder
{
    /// <summary>Streams the frames; a new array each. ffmpeg starts with the enumeration and ends with it.</summary>
    /// <param name="media">From <see cref="MediaProbe"/>.</param>
    /// <param name="geometry">The size.</param>
    /// <param name="pixelFormat">rgb24, where transparent pixels are laid on black, or rgba.</param>
    /// <param name="options">Which frames; size and fit have become <paramref name="geometry"/>.</param>
    /// <param name="ffmpeg">The executable.</param>
    /// <param name="cancellationToken">Kills ffmpeg.</param>
    public static IEnumerable<byte[]> Decode(
        ProbedMedia media, FrameGeometry geometry, string pixelFormat, VideoReadOptions options, string ffmpeg,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long bytes = (long)geometry.Width * geometry.Height * (pixelFormat == "rgba" ? 4 : 3);
        if (bytes > Array.MaxLength)
            throw new SoraException($"{media.Path} would be read at {geometry.Width}x{geometry.Height}, {bytes} bytes a frame; allowed: {Array.MaxLength}. Give a smaller size.");
        int frameBytes = (int)bytes;
        using FFmpegProcess process = FFmpegProcess.Start(ffmpeg, Arguments(media, geometry, pixelFormat, options));
        using CancellationTokenRegistration kill = cancellationToken.Register(process.Kill);
        process.Input.Dispose();
        int count = 0;
        while (true)
        {
            byte[] frame = GC.AllocateUninitializedArray<byte>(frameBytes);
            int length = process.Output.ReadAtLeast(frame, frameBytes, throwOnEndOfStream: false);
            cancellationToken.ThrowIfCancellationRequested();
            if (length == frameBytes)
            {
                count++;
                yield return frame;
                continue;
            }

            FFmpegExit exit = process.WaitForExit();
            cancellationToken.ThrowIfCancellationRequested();
            RequireAll(media, options, exit, count, whole: length == 0);
            yield break;
        }
    }

    private static List<string> Arguments(
        ProbedMedia media, FrameGeometry geometry, string pixelFormat, VideoReadOptions options)
    {
        bool isImage = media.Info.IsImage;
        FrameRate rate = options.FrameRate ?? media.Info.FrameRate;
        List<string> filters = [];
        if (options.FrameRate is not null && !isImage)
        {
            filters.Add($"fps={rate}");
        }

        if (media.UprightFilter is not null)
        {
            filters.Add(media.UprightFilter);
        }

        if (media.HasAlpha && pixelFormat != "rgba")
        {
            // Colour times alpha is the picture on black. Before scaling, so that the colour of transparent pixels does
            // not bleed into the edges.
            filters.Add("format=gbrap,premultiply=inplace=1,format=gbrp");
        }

        filters.Add(geometry.Filter(pixelFormat, media.AssumesBt709));

        // Numbered anew at the output's rate, so that ffmpeg neither repeats nor drops frames of its own accord.
        filters.Add($"settb={rate.Denominator}/{rate.Numerator},setpts=N");

        List<string> arguments = ["-hide_banner", "-nostdin", "-loglevel", "error", "-noautorotate"];
        if (options.Start > TimeSpan.Zero && !isImage)
        {
            arguments.AddRange(["-ss", options.Start.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture)]);
        }

        arguments.AddRange(ProbedMedia.InputArguments(media.Path));
        arguments.AddRange(["-map", "0:V:0", "-vf", string.Join(',', filters), "-r", rate.ToString()]);
        if (options.MaxFrames is int most)
        {
            arguments.AddRange(["-frames:v", most.ToString(CultureInfo.InvariantCulture)]);
        }

        arguments.AddRange(["-f", "rawvideo", "-pix_fmt", pixelFormat, "pipe:1"]);
        return arguments;
    }

    /// <summary>
    /// ffmpeg also exits with 0 when a file breaks off in the middle; then it has complained and frames are missing.
    /// </summary>
    private static void RequireAll(ProbedMedia media, VideoReadOptions options, FFmpegExit exit, int count, bool whole)
    {
        string reading = $"reading '{media.Path}'";
        if (exit.WasKilled)
        {
            throw new FFmpegException(exit.Describe(reading));
        }

        if (exit.Code != 0 || !whole)
        {
            throw new SoraException(exit.Describe(reading));
        }

        VideoInfo info = media.Info;
        double seconds = (info.Duration - options.Start)?.TotalSeconds ?? 0;
        if (count == 0)
        {
            throw new SoraException(
                options.Start > TimeSpan.Zero && exit.LastLines.Length == 0
                    ? $"'{media.Path}' has no frame at {options.Start.TotalSeconds:0.###} s"
                        + (info.Duration is TimeSpan length ? $", it ends at {length.TotalSeconds:0.###} s." : ".")
                    : $"'{media.Path}' has no frame that can be decoded.\n{exit.LastLines}");
        }

        // A tenth less is allowed: durations are rounded, and may be those of the sound.
        double expected = Math.Min(
            seconds * (options.FrameRate ?? info.FrameRate).Value, options.MaxFrames ?? double.MaxValue);
        if (exit.LastLines.Length > 0 && count < Math.Floor(0.9 * expected))
        {
            throw new SoraException(
                $"'{media.Path}' is damaged: it breaks off after {count} of about {expected:0} frames.\n"
                + exit.LastLines);
        }
    }
}
