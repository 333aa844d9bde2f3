namespace Sora.Frames;

/// <summary>What a video or image file holds, as a viewer sees it.</summary>
/// <param name="Width">Width in pixels after rotation and with square pixels.</param>
/// <param name="Height">Height in pixels after rotation and with square pixels.</param>
/// <param name="FrameRate">Frames per second, averaged over the file; 25 for an image, which has no rate.</param>
/// <param name="Duration">How long it plays; null for an image and where the file does not say.</param>
/// <param name="FrameCount">Number of frames; null where the file does not say (.webm).</param>
/// <param name="IsImage">Whether the file is one still picture.</param>
public sealed record VideoInfo(
    int Width, int Height, FrameRate FrameRate, TimeSpan? Duration, int? FrameCount, bool IsImage);
