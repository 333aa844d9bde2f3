using System.Globalization;

namespace Sora.Storyboards;

/// <summary>A storyboard's file, field by field.</summary>
internal static class StoryboardReader
{
    /// <exception cref="SoraException">It is no storyboard; the message has line and column.</exception>
    public static Storyboard Read(ReadOnlySpan<byte> json, string source, string folder)
    {
        PlacedJson board = PlacedJson.Parse(json, source);
        board.RequireFields("the storyboard",
            "segments", "frames", "size", "fps", "seed", "negative", "steps", "guidance", "guidance_rescale", "shift", "sampler", "window_frames", "overlap_frames");
        PlacedJson segments = board.Get("segments");
        StoryboardSegment[] parts = [.. segments.Items("segments").Select(Segment)];
        if (parts.Length == 0)
            throw segments.Wrong("segments is empty; a storyboard needs at least one.");
        return new Storyboard([.. parts])
        {
            Frames = [.. (board.Find("frames")?.Items("frames") ?? []).Select(frame => Frame(frame, folder))],
            Settings = Settings(board, new VideoRequest(parts[0].Prompt)),
        };
    }

    private static StoryboardSegment Segment(PlacedJson part)
    {
        part.RequireFields("a segment", "from", "to", "prompt", "cut");
        PlacedJson from = part.Get("from"), prompt = part.Get("prompt");
        string text = prompt.Text("prompt");
        return Checked(prompt, () => new StoryboardSegment(from.Number("from"), part.Get("to").Number("to"), text)) with
        {
            Cut = part.Find("cut")?.Flag("cut") ?? false,
            Place = from.Place,
        };
    }

    private static StoryboardFrame Frame(PlacedJson frame, string folder)
    {
        frame.RequireFields("a frame", "at", "file");
        PlacedJson at = frame.Get("at"), file = frame.Get("file");
        string path = Path.Combine(folder, file.Text("file"));
        return File.Exists(path) ? new(at.Number("at"), path) { Place = at.Place } : throw file.Wrong($"file '{file.Text("file")}' does not exist in {folder}.");
    }

    private static VideoRequest Settings(PlacedJson board, VideoRequest settings)
    {
        void Set(string name, Func<VideoRequest, PlacedJson, VideoRequest> change)
        {
            if (board.Find(name) is { } value)
                settings = Checked(value, () => change(settings, value));
        }
        Set("size", (request, value) => SizeOf(value) is var (width, height) ? request with { Width = width, Height = height } : request);
        Set("fps", (request, value) => request with { FramesPerSecond = Integer(value, "fps") });
        Set("seed", (request, value) => request with { Seed = value.Whole("seed") });
        Set("negative", (request, value) => request with { NegativePrompt = value.Text("negative") });
        Set("steps", (request, value) => request with { Steps = Integer(value, "steps") });
        Set("guidance", (request, value) => request with { GuidanceScale = (float)value.Number("guidance") });
        Set("guidance_rescale", (request, value) => request with { GuidanceRescale = (float)value.Number("guidance_rescale") });
        Set("shift", (request, value) => request with { Shift = (float)value.Number("shift") });
        Set("sampler", (request, value) => request with { Sampler = SamplerNames.Parse(value.Text("sampler")) });
        Set("window_frames", (request, value) => request with { WindowFrames = Integer(value, "window_frames") });
        Set("overlap_frames", (request, value) => request with { OverlapFrames = Integer(value, "overlap_frames") });
        return settings;
    }

    private static int Integer(PlacedJson value, string name) =>
        value.Whole(name) is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw value.Wrong($"{name} is too large a number.");

    private static (int Width, int Height) SizeOf(PlacedJson value)
    {
        string text = value.Text("size");
        string[] sides = text.Split('x');
        return sides is [var w, var h]
            && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            ? (width, height) : throw value.Wrong($"size is \"{text}\"; allowed: width and height in pixels, such as \"832x480\".");
    }

    // A value that is refused, with its place before the reason unless it has one.
    private static T Checked<T>(PlacedJson value, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (SoraException e) when (!e.Message.StartsWith($"{value.Source}:", StringComparison.Ordinal))
        {
            throw value.Wrong(e.Message, e);
        }
    }
}
