using Sora.Conditioning;

namespace Sora.Continuation;

/// <summary>
/// The windows of a long video, in order. Each begins with the last latent frames of the one before. A window has one
/// prompt: a new one begins where a prompt takes over.
/// </summary>
internal static class WindowPlan
{
    /// <summary>Below this no model needs windows: networks go on a little beyond the length they were trained for.</summary>
    public const int LongestSingle = 65;

    /// <summary>Default of <see cref="VideoRequest.OverlapFrames"/>.</summary>
    public const int DefaultOverlap = 9;

    /// <summary>The length of a window where a request leaves it open; null where the video is one.</summary>
    public static int? DefaultWindow(VideoRequest request, int frameCount, ModelLimits limits) =>
        request.LaterPrompts.Count > 0 || (frameCount > Math.Max(LongestSingle, limits.FrameCount) && !request.Loop && request.Source is null && request.Draft is null)
            ? Math.Max(limits.FrameCount, 1 + limits.TemporalStride)
            : null;

    /// <summary>Says what is wrong with a video in windows; null where nothing is.</summary>
    /// <param name="request">A request with every value filled.</param>
    /// <param name="limits">The model.</param>
    public static string? Problem(VideoRequest request, ModelLimits limits)
    {
        int stride = limits.TemporalStride, window = request.WindowFrames!.Value, frames = request.FrameCount!.Value;
        if (request.Loop || request.Source is not null || request.Draft is not null)
            return $"A {(request.Loop ? "loop" : request.Draft is null ? "video from a source" : "video with a draft")} is one window, and has no prompts that take over; {(request.LaterPrompts.Count > 0 ? "leave LaterPrompts empty" : $"nearest WindowFrames: {frames}")}.";
        if (limits.KnownFrames == KnownFrameRule.FirstAndLast)
            return $"This model makes a video between its first and its last frame, of one window; nearest FrameCount: {Math.Min(window, frames)}.";
        if (window <= stride)
            return $"WindowFrames {window} is too short for a window, which begins with known frames; nearest: {1 + stride}.";
        if ((window - 1) % stride != 0)
        {
            int below = Math.Max(((window - 1) / stride * stride) + 1, 1 + stride), above = ((window - 1) / stride * stride) + 1 + stride;
            return $"WindowFrames {window} is not {stride}n + 1; nearest: {(below == above ? $"{above}" : $"{below}, {above}")}.";
        }
        if (request.LaterPrompts is [.., var last] && last.FirstFrame >= frames)
            return $"LaterPrompts has one from frame {last.FirstFrame}, but the video has {frames} frames; allowed: up to {frames - 1}.";
        if (request.LaterPrompts.FirstOrDefault(prompt => prompt.Cut) is { } cut && limits.KnownFrames != KnownFrameRule.Any)
            return $"LaterPrompts has a cut at frame {cut.FirstFrame}, and this model begins with a given frame; leave out the cut.";
        foreach (Segment segment in Segments(request, stride))
        {
            if (segment.EndLatent <= segment.FirstLatent)
                return $"The prompt from frame {segment.FirstFrame} to {segment.EndFrame - 1} has less than a latent frame, which is {stride} frames; let it last longer.";
        }
        return null;
    }

    /// <summary>The windows of a resolved request that <see cref="VideoRequest.IsInWindows"/>, made as they are asked for.</summary>
    public static IEnumerable<VideoWindow> Of(VideoRequest request, ModelLimits limits)
    {
        int stride = limits.TemporalStride, window = request.WindowFrames!.Value;
        int longest = 1 + ((window - 1) / stride);
        int overlap = 1 + ((Overlap.AtStart(limits, Math.Min(request.OverlapFrames!.Value, (window + 1) / 2), window) - 1) / stride);
        foreach (Segment segment in Segments(request, stride))
        {
            for (int position = segment.FirstLatent; position < segment.EndLatent;)
            {
                int known = Math.Min(overlap, position), start = position - known;
                int fresh = Math.Min(longest - known, segment.EndLatent - position);
                yield return new VideoWindow
                {
                    Prompt = segment.Prompt,
                    Latents = known + fresh,
                    Known = known,
                    BeginsWithPicture = start > 0 || (known > 0 && limits.KnownFrames != KnownFrameRule.Any),
                    FirstLatent = segment.LatentsBefore + start,
                    Origin = segment.Shot + (start * stride),
                    FirstFrame = segment.Shot + FirstFrameOf(position, stride),
                    EndFrame = Math.Min(segment.Shot + FirstFrameOf(position + fresh, stride), segment.ShotEnd),
                };
                position += fresh;
            }
        }
    }

    /// <summary>The request of the window that takes most; a resolved request of one window itself.</summary>
    public static VideoRequest LargestOf(VideoRequest request, ModelLimits limits) => !request.IsInWindows ? request
        : Of(request, limits).MaxBy(window => (window.Latents, window.BeginsWithPicture))!.RequestOf(request, limits.TemporalStride, null);

    // A prompt's part of the video. Latent frames are counted from the beginning of its shot.
    private sealed record Segment(string Prompt, int FirstFrame, int EndFrame, int Shot, int ShotEnd, int LatentsBefore, int FirstLatent, int EndLatent);

    private static IEnumerable<Segment> Segments(VideoRequest request, int stride)
    {
        TimedPrompt[] later = [.. request.LaterPrompts];
        int frames = request.FrameCount!.Value, shot = 0, before = 0, position = 0;
        for (int i = -1; i < later.Length; i++)
        {
            int first = i < 0 ? 0 : later[i].FirstFrame, end = i + 1 < later.Length ? later[i + 1].FirstFrame : frames;
            if (i >= 0 && later[i].Cut)
                (before, shot, position) = (before + position, first, 0);
            bool endsShot = i + 1 == later.Length || later[i + 1].Cut;
            int endLatent = endsShot ? 1 + ((end - shot - 1 + stride - 1) / stride) : NearestLatent(end - shot, stride);
            int shotEnd = later.Skip(i + 1).FirstOrDefault(prompt => prompt.Cut)?.FirstFrame ?? frames;
            yield return new(i < 0 ? request.Prompt : later[i].Prompt, first, end, shot, shotEnd, before, position, endLatent);
            position = endLatent;
        }
    }

    // The first frame of a latent frame: 0, 1, 1 + s, 1 + 2s, ...
    private static int FirstFrameOf(int latent, int stride) => latent == 0 ? 0 : 1 + ((latent - 1) * stride);

    // The latent frame whose first frame is nearest; not the shot's first.
    private static int NearestLatent(int frame, int stride) => ((frame - 1 + (stride / 2)) / stride) + 1;
}
