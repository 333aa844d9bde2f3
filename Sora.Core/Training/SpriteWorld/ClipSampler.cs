namespace Sora.Training.SpriteWorld;

/// <summary>Draws clip descriptions at random, with positions and speeds that keep the subject in the frame.</summary>
internal static class ClipSampler
{
    // Of two subjects: how long they are compared with one alone and at most, and how far their lanes are from the frame's edges.
    private const float LengthOfTwo = 0.66f, LongestOfTwo = 0.38f, Lane = 0.25f;

    // In degrees: less would pass for upright.
    private const float LeastTilt = 20;

    public static ClipDescription Sample(SpriteWorldConfig config, ClipRandom random, ClipFilter? filter)
    {
        ClipDescription clip = Choose(config, random, filter);
        // Without companions a seed names the same clip as ever.
        return config.CompanionShare > 0 && config.Subjects.Count > 1 && random.Chance(config.CompanionShare)
            ? WithCompanion(config, clip, random)
            : WithTilt(config, WithMotion(clip, config.Seconds, random), random);
    }

    // Last, so that a seed names the same clip otherwise.
    private static ClipDescription WithTilt(SpriteWorldConfig config, ClipDescription clip, ClipRandom random) =>
        config.TiltedShare > 0 && clip.Motion != Motion.Spins && random.Chance(config.TiltedShare) ? clip with { Tilt = random.Between(LeastTilt, 360 - LeastTilt) } : clip;

    // What is shown, before it moves.
    private static ClipDescription Choose(SpriteWorldConfig config, ClipRandom random, ClipFilter? filter)
    {
        Subject subject = filter?.Subject ?? random.Pick(config.Subjects);
        Scene scene = filter?.Scene ?? random.Pick(config.Scenes);
        Motion motion = filter?.Motion ?? random.Pick(config.Motions);
        SubjectColour colour = filter?.Colour ?? random.Pick(config.Colours);
        SubjectSize size = random.Pick(config.Sizes);
        TimeOfDay time = random.Pick(config.TimesOfDay);
        float extent = size switch
        {
            SubjectSize.Small => random.Between(0.25f, 0.30f),
            SubjectSize.Big => random.Between(0.62f, 0.68f),
            _ => random.Between(0.42f, 0.52f),
        };
        return new ClipDescription
        {
            Subject = subject,
            Scene = scene,
            Motion = motion,
            Colour = colour,
            Size = size,
            TimeOfDay = scene.HasSky ? time : TimeOfDay.Day,
            Camera = random.Pick(config.CameraMoves),
            SceneSeed = random.NextUInt64(),
            FacesRight = random.Chance(config.MirroredShare) != (subject.Facing == Facing.Right),
            Extent = extent,
            Start = (random.Between(0.32f, 0.68f), RestingHeight(subject, scene, random)),
        };
    }

    // Each subject has a lane of its own: side by side, or one above the other where one of them moves to a side.
    private static ClipDescription WithCompanion(SpriteWorldConfig config, ClipDescription clip, ClipRandom random)
    {
        ClipDescription other;
        do
        {
            other = Choose(config, random, new() { Scene = clip.Scene });
        }
        while (other.Subject == clip.Subject || (IsAcross(clip) && IsUpright(other)) || (IsUpright(clip) && IsAcross(other)));

        bool stacked = IsAcross(clip) || IsAcross(other), first = random.Chance(0.5f);
        ClipDescription one = InLane(clip, first), companion = InLane(other, !first);
        return one with { Companion = companion with { Scene = one.Scene, SceneSeed = one.SceneSeed, TimeOfDay = one.TimeOfDay, Camera = one.Camera } };

        ClipDescription InLane(ClipDescription alone, bool isFirst)
        {
            ClipDescription moving = WithMotion(alone with { Extent = MathF.Min(LengthOfTwo * alone.Extent, LongestOfTwo) }, config.Seconds, random);
            float lane = (isFirst ? Lane : 1 - Lane) + random.Between(-0.02f, 0.02f);
            return moving with
            {
                Start = stacked ? (moving.Start.X, lane) : (lane, moving.Start.Y),
                Reach = moving.Motion == Motion.Circles ? 0.4f * moving.Reach : moving.Reach,
            };
        }

        static bool IsAcross(ClipDescription one) => one.Motion is Motion.Left or Motion.Right;
        static bool IsUpright(ClipDescription one) => one.Motion is Motion.Up or Motion.Down or Motion.Bounces;
    }

    private static ClipDescription WithMotion(ClipDescription clip, float seconds, ClipRandom random)
    {
        (float x, float y) = clip.Start;
        switch (clip.Motion)
        {
            case Motion.Left or Motion.Right:
                float across = random.Between(0.42f, 0.58f);
                float middle = 0.5f + random.Between(-0.04f, 0.04f);
                x = clip.Motion == Motion.Left ? middle + (across / 2f) : middle - (across / 2f);
                return clip with { Start = (x, y), Speed = across / seconds };
            case Motion.Up or Motion.Down:
                float along = random.Between(0.42f, 0.54f);
                float centre = 0.5f + random.Between(-0.04f, 0.04f);
                y = clip.Motion == Motion.Up ? centre + (along / 2f) : centre - (along / 2f);
                return clip with { Start = (x, y), Speed = along / seconds };
            case Motion.Bounces:
                return clip with
                {
                    Start = (x, random.Between(0.68f, 0.74f)),
                    Speed = random.Between(0.97f, 1.03f),
                    Reach = random.Between(0.30f, 0.40f),
                };
            case Motion.Circles:
                return clip with
                {
                    Start = (random.Between(0.45f, 0.55f), random.Between(0.48f, 0.54f)),
                    Speed = random.Between(0.48f, 0.55f),
                    Reach = random.Between(0.18f, 0.24f),
                };
            case Motion.Spins:
                // A quarter of a turn a second: a latent frame is half a second, in which more than that is a blur.
                return clip with { Start = (x, random.Between(0.45f, 0.6f)), Speed = random.Between(0.22f, 0.28f) };
            case Motion.Grows:
                return clip with
                {
                    Start = (x, random.Between(0.45f, 0.6f)),
                    Extent = 0.5f * clip.Extent,
                    Speed = 0.75f * clip.Extent / seconds,
                };
            case Motion.Shrinks:
                return clip with
                {
                    Start = (x, random.Between(0.45f, 0.6f)),
                    Extent = 1.25f * clip.Extent,
                    Speed = 0.75f * clip.Extent / seconds,
                };
            default:
                return clip;
        }
    }

    private static float RestingHeight(Subject subject, Scene scene, ClipRandom random)
    {
        if (!scene.HasGround)
            return random.Between(0.36f, 0.64f);
        return subject.Locomotion.Habitat switch
        {
            Habitat.Ground => random.Between(0.68f, 0.75f),
            Habitat.Water => random.Between(0.5f, 0.66f),
            _ => random.Between(0.34f, 0.52f),
        };
    }
}
