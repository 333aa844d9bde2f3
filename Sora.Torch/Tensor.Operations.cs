namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>e to the power of each element.</summary>
        public Tensor exp() => Op.Exp.Call(this);

        /// <summary>e to the power of each element. In place.</summary>
        public Tensor exp_()
        {
            Op.ExpInPlace.CallInPlace(this);
            return this;
        }

        /// <summary>The natural logarithm of each element.</summary>
        public Tensor log() => Op.Log.Call(this);

        /// <summary>The sine of each element.</summary>
        public Tensor sin() => Op.Sin.Call(this);

        /// <summary>The cosine of each element.</summary>
        public Tensor cos() => Op.Cos.Call(this);

        /// <summary>The square root of each element.</summary>
        public Tensor sqrt() => Op.Sqrt.Call(this);

        /// <summary>The square root of each element. In place.</summary>
        public Tensor sqrt_()
        {
            Op.SqrtInPlace.CallInPlace(this);
            return this;
        }

        /// <summary>One over the square root of each element.</summary>
        public Tensor rsqrt() => Op.Rsqrt.Call(this);

        /// <summary>The hyperbolic tangent of each element.</summary>
        public Tensor tanh() => Op.Tanh.Call(this);

        /// <summary>The logistic function of each element.</summary>
        public Tensor sigmoid() => Op.Sigmoid.Call(this);

        /// <summary>The absolute value of each element.</summary>
        public Tensor abs() => Op.Abs.Call(this);

        /// <summary>The negative of each element.</summary>
        public Tensor neg() => Op.Neg.Call(this);

        /// <summary>The negative of each element. In place.</summary>
        public Tensor neg_()
        {
            Op.NegInPlace.CallInPlace(this);
            return this;
        }

        /// <summary>Each element times itself.</summary>
        public Tensor square() => Op.Square.Call(this);

        /// <summary>Each element rounded to the nearest integer.</summary>
        public Tensor round() => Op.Round.Call(this);

        /// <summary>Each element rounded down.</summary>
        public Tensor floor() => Op.Floor.Call(this);

        /// <summary>Whether each element is neither infinite nor NaN.</summary>
        public Tensor isfinite() => Op.Isfinite.Call(this);

        /// <summary>Whether all elements are true.</summary>
        public Tensor all() => Op.All.Call(this);

        /// <summary>A tensor that shares the data but not the history.</summary>
        public Tensor detach() => Op.Detach.Call(this);

        /// <summary>The tensor itself when contiguous, else a contiguous copy.</summary>
        public Tensor contiguous() => Op.Contiguous.Call(this);

        /// <summary>A copy.</summary>
        public Tensor clone() => Op.Clone.Call(this);

        /// <summary>A new handle of the same tensor.</summary>
        public Tensor alias() => Op.Alias.Call(this);

        /// <summary>The sum.</summary>
        public Tensor add(Tensor other) => Op.AddTensor.Call(this, other);

        /// <summary>The sum.</summary>
        public Tensor add(Scalar other) => Op.AddScalar.Call(this, other);

        /// <summary>The sum. In place.</summary>
        public Tensor add_(Tensor other)
        {
            Op.AddTensorInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The sum. In place.</summary>
        public Tensor add_(Scalar other)
        {
            Op.AddScalarInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The sum.</summary>
        public static Tensor operator +(Tensor left, Tensor right) => left.add(right);

        /// <summary>The sum.</summary>
        public static Tensor operator +(Tensor left, Scalar right) => left.add(right);

        /// <summary>The difference.</summary>
        public Tensor sub(Tensor other) => Op.SubTensor.Call(this, other);

        /// <summary>The difference.</summary>
        public Tensor sub(Scalar other) => Op.SubScalar.Call(this, other);

        /// <summary>The difference. In place.</summary>
        public Tensor sub_(Tensor other)
        {
            Op.SubTensorInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The difference. In place.</summary>
        public Tensor sub_(Scalar other)
        {
            Op.SubScalarInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The difference.</summary>
        public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);

        /// <summary>The difference.</summary>
        public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);

        /// <summary>The product.</summary>
        public Tensor mul(Tensor other) => Op.MulTensor.Call(this, other);

        /// <summary>The product.</summary>
        public Tensor mul(Scalar other) => Op.MulScalar.Call(this, other);

        /// <summary>The product. In place.</summary>
        public Tensor mul_(Tensor other)
        {
            Op.MulTensorInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The product. In place.</summary>
        public Tensor mul_(Scalar other)
        {
            Op.MulScalarInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The product.</summary>
        public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);

        /// <summary>The product.</summary>
        public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);

        /// <summary>The quotient.</summary>
        public Tensor div(Tensor other) => Op.DivTensor.Call(this, other);

        /// <summary>The quotient.</summary>
        public Tensor div(Scalar other) => Op.DivScalar.Call(this, other);

        /// <summary>The quotient. In place.</summary>
        public Tensor div_(Tensor other)
        {
            Op.DivTensorInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The quotient. In place.</summary>
        public Tensor div_(Scalar other)
        {
            Op.DivScalarInPlace.CallInPlace(this, other);
            return this;
        }

        /// <summary>The quotient.</summary>
        public static Tensor operator /(Tensor left, Tensor right) => left.div(right);

        /// <summary>The quotient.</summary>
        public static Tensor operator /(Tensor left, Scalar right) => left.div(right);

        /// <summary>Where the elements are equal.</summary>
        public Tensor eq(Tensor other) => Op.EqTensor.Call(this, other);

        /// <summary>Where the elements are equal.</summary>
        public Tensor eq(Scalar other) => Op.EqScalar.Call(this, other);

        /// <summary>Where the elements are smaller.</summary>
        public Tensor lt(Tensor other) => Op.LtTensor.Call(this, other);

        /// <summary>Where the elements are smaller.</summary>
        public Tensor lt(Scalar other) => Op.LtScalar.Call(this, other);

        /// <summary>Where the elements are greater.</summary>
        public Tensor gt(Tensor other) => Op.GtTensor.Call(this, other);

        /// <summary>Where the elements are greater.</summary>
        public Tensor gt(Scalar other) => Op.GtScalar.Call(this, other);

        /// <summary>Where the elements are at least as great.</summary>
        public Tensor ge(Tensor other) => Op.GeTensor.Call(this, other);

        /// <summary>Where the elements are at least as great.</summary>
        public Tensor ge(Scalar other) => Op.GeScalar.Call(this, other);

        /// <summary>Where the elements are at most as great.</summary>
        public Tensor le(Tensor other) => Op.LeTensor.Call(this, other);

        /// <summary>Where the elements are at most as great.</summary>
        public Tensor le(Scalar other) => Op.LeScalar.Call(this, other);

        /// <summary>The sum.</summary>
        public static Tensor operator +(Scalar left, Tensor right) => right.add(left);

        /// <summary>The product.</summary>
        public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);

        /// <summary>The difference.</summary>
        public static Tensor operator -(Scalar left, Tensor right) => right.neg().add_(left);

        /// <summary>The negative.</summary>
        public static Tensor operator -(Tensor tensor) => tensor.neg();

        /// <summary>The sum with a multiple of another tensor.</summary>
        public Tensor add(Tensor other, Scalar alpha) => Op.AddTensor.Call(this, other, alpha);

        /// <summary>Adds a multiple of another tensor in place.</summary>
        public Tensor add_(Tensor other, Scalar alpha)
        {
            Op.AddTensorInPlace.CallInPlace(this, other, alpha);
            return this;
        }

        /// <summary>Adds <paramref name="value"/> × tensor1 × tensor2 in place.</summary>
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Op.AddcmulInPlace.CallInPlace(this, tensor1, tensor2, value);
            return this;
        }

        /// <summary>Adds <paramref name="value"/> × tensor1 / tensor2 in place.</summary>
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Op.AddcdivInPlace.CallInPlace(this, tensor1, tensor2, value);
            return this;
        }

        /// <summary>Each element to a power.</summary>
        public Tensor pow(Scalar exponent) => Op.PowScalar.Call(this, exponent);

        /// <summary>Each element limited to a range.</summary>
        public Tensor clamp(Scalar? min = null, Scalar? max = null) =>
            Op.Clamp.Call(this, min is null ? Argument.None : min.Value, max is null ? Argument.None : max.Value);

        /// <summary>The matrix product.</summary>
        public Tensor matmul(Tensor target) => Op.Matmul.Call(this, target);

        /// <summary>The matrix products of a batch.</summary>
        public Tensor bmm(Tensor batch2) => Op.Bmm.Call(this, batch2);

        /// <summary><paramref name="beta"/> × this + <paramref name="alpha"/> × the matrix products of a batch.</summary>
        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) =>
            Op.Baddbmm.Call(this, batch1, batch2, (Scalar)beta, (Scalar)alpha);

        /// <summary>The softmax along an axis, computed in float32 when <paramref name="type"/> says so.</summary>
        public Tensor softmax(long dim, ScalarType? type = null) => Op.Softmax.Call(this, dim, type);

        /// <summary>The sum of all elements.</summary>
        public Tensor sum(ScalarType? type = null) => Op.Sum.Call(this, type);

        /// <summary>The sum over axes.</summary>
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Op.SumDim.Call(this, dim, keepdim, type);

        /// <summary>The mean of all elements.</summary>
        public Tensor mean() => Op.Mean.Call(this);

        /// <summary>The mean over axes.</summary>
        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) =>
            Op.MeanDim.Call(this, dimensions, keepdim, type);

        /// <summary>The Euclidean norm of all elements.</summary>
        public Tensor norm() => Op.Norm.Call(this);

        /// <summary>The smallest element.</summary>
        public Tensor min() => Op.Min.Call(this);

        /// <summary>The greatest element.</summary>
        public Tensor max() => Op.Max.Call(this);

        /// <summary>The index of the greatest element of each slice along an axis.</summary>
        public Tensor argmax(long dim, bool keepdim = false) => Op.Argmax.Call(this, dim, keepdim);

        /// <summary>The running sum along an axis.</summary>
        public Tensor cumsum(long dim) => Op.Cumsum.Call(this, dim);

        /// <summary>The same elements in another shape, without a copy.</summary>
        public Tensor view(params long[] shape) => Op.View.Call(this, shape);

        /// <summary>The same elements in another shape, copied when they must be.</summary>
        public Tensor reshape(params long[] shape) => Op.Reshape.Call(this, shape);

        /// <summary>Axes <paramref name="start_dim"/> to <paramref name="end_dim"/> made one.</summary>
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Op.Flatten.Call(this, start_dim, end_dim);

        /// <summary>The axes in another order.</summary>
        public Tensor permute(params long[] permutation) => Op.Permute.Call(this, permutation);

        /// <summary>Two axes exchanged.</summary>
        public Tensor transpose(long dim0, long dim1) => Op.Transpose.Call(this, dim0, dim1);

        /// <summary>A new axis of length 1.</summary>
        public Tensor unsqueeze(long dim) => Op.Unsqueeze.Call(this, dim);

        /// <summary>Without an axis of length 1.</summary>
        public Tensor squeeze(long dim) => Op.Squeeze.Call(this, dim);

        /// <summary>Axes of length 1 repeated without a copy.</summary>
        public Tensor expand(params long[] sizes) => Op.Expand.Call(this, sizes);

        /// <summary>Repeated along each axis.</summary>
        public Tensor repeat(params long[] sizes) => Op.Repeat.Call(this, sizes);

        /// <summary>Each slice along an axis repeated in place.</summary>
        public Tensor repeat_interleave(long repeats, long? dim = null) => Op.RepeatInterleave.Call(this, repeats, dim);

        /// <summary>A range of an axis, without a copy.</summary>
        public Tensor narrow(long dim, long start, long length) => Op.Narrow.Call(this, dim, start, length);

        /// <summary>A strided range of an axis, without a copy.</summary>
        public Tensor slice(long dim, long start, long finish, long step) => Op.Slice.Call(this, dim, start, finish, step);

        /// <summary>One slice of an axis, without a copy.</summary>
        public Tensor select(long dim, long index) => Op.Select.Call(this, dim, index);

        /// <summary>The slices of an axis at given indices.</summary>
        public Tensor index_select(long dim, Tensor index) => Op.IndexSelect.Call(this, dim, index);

        /// <summary>The order of an axis reversed.</summary>
        public Tensor flip(params long[] dims) => Op.Flip.Call(this, dims);

        /// <summary>Parts of equal size along an axis.</summary>
        public Tensor[] chunk(long chunks, long dim = 0) => Op.Chunk.CallMany(this, chunks, dim);

        /// <summary>Parts of given sizes along an axis.</summary>
        public Tensor[] split(long[] split_sizes, long dim = 0) => Op.SplitWithSizes.CallMany(this, split_sizes, dim);

        /// <summary>The slices along an axis.</summary>
        public Tensor[] unbind(int dimension = 0) => Op.Unbind.CallMany(this, (long)dimension);

        /// <summary>Elements replaced where the mask is true.</summary>
        public Tensor masked_fill(Tensor mask, Scalar value) => Op.MaskedFill.Call(this, mask, value);

        /// <summary>Copies another tensor's elements into this one.</summary>
        public Tensor copy_(Tensor source)
        {
            Op.CopyInPlace.CallInPlace(this, source);
            return this;
        }

        /// <summary>Sets every element to zero.</summary>
        public Tensor zero_()
        {
            Op.ZeroInPlace.CallInPlace(this);
            return this;
        }

        /// <summary>Sets every element to a value.</summary>
        public Tensor fill_(Scalar value)
        {
            Op.FillInPlace.CallInPlace(this, value);
            return this;
        }

        /// <summary>The tensor with elements of another type; the tensor itself when it has that type.</summary>
        public Tensor to(ScalarType type) => Op.ToDtype.Call(this, type);

        /// <summary>The tensor with elements of another type; the tensor itself when it has that type.</summary>
        public Tensor to_type(ScalarType type) => Op.ToDtype.Call(this, type);

        /// <summary>The tensor on another device; the tensor itself when it is there.</summary>
        public Tensor to(Device device) => Op.ToDevice.Call(this, device, dtype);

        /// <summary>The tensor on the host.</summary>
        public Tensor cpu() => to(CPU);
    }
}
