namespace Sora.Training.SpriteWorld;

/// <summary>How evaluations and trainings spell motions.</summary>
internal static class MotionNames
{
    /// <summary>"bounces"</summary>
    public static string Of(Motion motion) => motion.ToString().ToLowerInvariant();
}
